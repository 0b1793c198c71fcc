import { createAttemptSplitter } from '../../src/collectors/results/attempts.ts';
import type { EpochRow, NonFinite } from '../../src/core/run.ts';
import type { EpochEvent } from '../../src/core/trace.ts';
import type { TraceEvent } from './scenario.ts';

/** When the runs of the benchmark begin, ms. */
export const STARTED_AT = 1_757_400_000_000;

/** Reads the epochs of a trace one by one, as they would be read from the run's result file. */
export const createRowReader = (): ((event: EpochEvent) => EpochRow) => {
  const attemptOf = createAttemptSplitter();
  return ({ t, epoch, elapsedS = null, metrics: told }) => {
    const metrics: Record<string, number | null> = {};
    const nonFinite: Record<string, NonFinite> = {};
    for (const [name, value] of Object.entries(told)) {
      metrics[name] = typeof value === 'number' ? value : null;
      if (typeof value === 'string') nonFinite[name] = value;
    }
    const { fileAttempt } = attemptOf({ epoch, elapsedS, metrics });
    return {
      ...{ attempt: fileAttempt + 1, epoch, at: STARTED_AT + (t ?? 0), atSource: 'mtime' },
      ...{ elapsedS, runElapsedS: null, metrics },
      ...(Object.keys(nonFinite).length > 0 && { nonFinite }),
    };
  };
};

/** All rows of a trace. */
export const rowsOf = (trace: readonly TraceEvent[]): readonly EpochRow[] => {
  const read = createRowReader();
  return trace.flatMap((event) => (event.kind === 'epoch' ? [read(event)] : []));
};
