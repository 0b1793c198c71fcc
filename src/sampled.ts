import type { Batch, ObservedGpu } from './core/batch.ts';
import type { StreamEvent } from './core/ports.ts';
import type { Run } from './core/run.ts';
import { gpuSampleOf, hostSampleOf, type Sample, type Values } from './core/sample.ts';
import { createGpuTicks, type GpuTicks } from './gpu-ticks.ts';
import type { TickInput } from './rules/rule.ts';
import type { RunTracker } from './run-tracker.ts';

/** The newest samples of everything, and what is made of them: values that others know, events, input of the rules. */
export type Sampled = {
  /** Takes what a batch says of GPUs beside their samples. */
  readonly hear: (batch: Batch) => void;
  /** Adds to a GPU's sample what its source cannot know: memory of the run that it belongs to, its last XID. */
  readonly complete: (sample: Sample) => Sample;
  readonly keep: (sample: Sample) => void;
  /** What the stream tells of a sample; null: nothing. */
  readonly eventOf: (sample: Sample, at: number, cursor: string) => StreamEvent | null;
  /** What the rules are to know of an active run now: null for what is missing, or older than five periods. */
  readonly inputOf: (run: Run, now: number) => Pick<TickInput, 'gpus' | 'host'>;
  /** The host's newest values, unless they are too old. */
  readonly host: (now: number) => Values | null;
  /** What the rules are to know of each GPU now; what the driver reported is told once. */
  readonly gpuTicks: GpuTicks['take'];
};

/** Samples older than this many periods say nothing about now. */
const STALE_PERIODS = 5;
const NO_XID = 0;

/** `samplePeriodMs`: the longer of the two sampling periods. */
export const createSampled = (deps: {
  readonly gpus: RunTracker['gpus'];
  readonly samplePeriodMs: number;
}): Sampled => {
  const { gpus, samplePeriodMs } = deps;
  const latest = new Map<string, Sample>();
  let hostSubject: string | null = null;
  /** UUIDs by what the kernel calls a GPU, and by themselves. */
  const uuids = new Map<string, string>();
  /** By either name of the GPU, the newest last. */
  const xids = new Map<string, number>();
  /** Whether the kernel log is read, which tells of every XID; only then is none none. */
  let hearsXids = false;

  const uuidOf = ({ subject }: Sample): string | null =>
    subject.startsWith('gpu:') ? subject.slice('gpu:'.length) : null;

  const fresh = (subject: string, now: number): Values | null => {
    const sample = latest.get(subject);
    return sample !== undefined && now - sample.at <= STALE_PERIODS * samplePeriodMs ? sample.values : null;
  };
  const host = (now: number) => (hostSubject === null ? null : fresh(hostSubject, now));

  const gpuTicks = createGpuTicks({ gpus, fresh, uuidOf: (name) => uuids.get(name) });

  const nameGpu = ({ uuid, pciBusId, mig }: ObservedGpu): void => {
    uuids.set(uuid, uuid);
    if (pciBusId && !mig) uuids.set(pciBusId, uuid);
  };

  return {
    hear: (batch) => {
      batch.gpus?.forEach(nameGpu);
      gpuTicks.hear(batch);
      if (batch.xids !== undefined) hearsXids = true;
      for (const { gpu, xid } of [...(batch.xids ?? []), ...(batch.driverXids ?? [])]) {
        xids.delete(gpu);
        xids.set(gpu, xid);
      }
    },
    complete: (sample) => {
      const uuid = uuidOf(sample);
      if (uuid === null) return sample;
      const [, heard] = [...xids].findLast(([gpu]) => uuids.get(gpu) === uuid) ?? [];
      const xid = heard ?? (hearsXids ? NO_XID : null);
      return { ...sample, values: { ...sample.values, xid, runMemory: gpus.runMemoryOn(uuid) } };
    },
    keep: (sample) => {
      latest.set(sample.subject, sample);
      if (sample.subject.startsWith('host:')) hostSubject = sample.subject;
    },
    eventOf: (sample, at, cursor) => {
      const uuid = uuidOf(sample);
      if (uuid !== null) {
        const run = gpus.runOf(uuid);
        const place = gpus.placeOf(uuid);
        const data = gpuSampleOf(sample, gpus.subjectOf(uuid), uuid, run);
        return { topic: 'gpu', cursor, at, run, gpu: place?.index ?? null, data };
      }
      if (!sample.subject.startsWith('host:')) return null;
      return { topic: 'host', cursor, at, run: null, gpu: null, data: hostSampleOf(sample) };
    },
    inputOf: (run, now) => {
      const used = gpus.gpusOf(run.id);
      const known = used.flatMap((uuid) => {
        const values = fresh(`gpu:${uuid}`, now);
        return values === null ? [] : [{ gpu: gpus.subjectOf(uuid), values }];
      });
      const ofHost = host(now);
      const { workersCpu = null, workersBlocked = null } = fresh(`run:${run.id}`, now) ?? {};
      return {
        gpus: known.length > 0 && known.length === used.length ? known : null,
        host: ofHost && { ...ofHost, workersCpu, workersBlocked },
      };
    },
    host,
    gpuTicks: gpuTicks.take,
  };
};
