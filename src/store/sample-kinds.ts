import { COLLECTOR_METRICS, GPU_METRICS, HOST_METRICS, type Metric, RUN_METRICS } from '../core/metrics.ts';

/** The wide tables of samples, each with the catalogue of its columns. */
export const SAMPLE_KINDS = {
  gpu_samples: GPU_METRICS,
  host_samples: HOST_METRICS,
  run_samples: RUN_METRICS,
  collector_samples: COLLECTOR_METRICS,
} as const satisfies Record<string, Readonly<Record<string, Metric>>>;

export type SampleTableName = keyof typeof SAMPLE_KINDS;

export const SAMPLE_TABLES = Object.keys(SAMPLE_KINDS) as readonly SampleTableName[];

/** The table of a subject by the kind that its name begins with. What was imported belongs to GPUs as well. */
export const tableOfSubject = (subject: string): SampleTableName => {
  const [kind = ''] = subject.split(':', 1);
  return kind === 'host' || kind === 'run' || kind === 'collector' ? `${kind}_samples` : 'gpu_samples';
};
