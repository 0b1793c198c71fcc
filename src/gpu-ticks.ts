import type { Batch, ObservedXid } from './core/batch.ts';
import type { Values } from './core/sample.ts';
import type { GpuTick } from './rules/engine.ts';
import type { RunContext } from './rules/rule.ts';
import type { RunTracker } from './run-tracker.ts';

/** What the rules are to know of each GPU at a tick. */
export type GpuTicks = {
  /** Takes what ails GPUs, and what the driver reports of them. */
  readonly hear: (batch: Batch) => void;
  /** All GPUs of the host now, each with the one of these active runs that it belongs to. */
  readonly take: (now: number, runs: readonly RunContext[]) => readonly GpuTick[];
};

/** XIDs of GPUs that nobody has listed yet; of more than this many only the newest are kept. */
const MOST_WAITING = 1000;

export const createGpuTicks = (deps: {
  readonly gpus: RunTracker['gpus'];
  /** The newest values of a subject, unless they are too old. */
  readonly fresh: (subject: string, now: number) => Values | null;
  /** The UUID of a GPU by any of its names; undefined: nobody has listed it. */
  readonly uuidOf: (name: string) => string | undefined;
}): GpuTicks => {
  const { gpus, fresh, uuidOf } = deps;
  const troubles = new Map<string, string | null>();
  /** The run that each GPU belonged to last: one that is lost has no processes any more to tell. */
  const lastRuns = new Map<string, string>();
  let waiting: readonly ObservedXid[] = [];

  const runOf = (uuid: string, answers: boolean): string | null => {
    const run = gpus.runOf(uuid);
    if (run !== null) lastRuns.set(uuid, run);
    else if (answers) lastRuns.delete(uuid);
    return lastRuns.get(uuid) ?? null;
  };

  return {
    hear: ({ gpuNotes = [], xids = [], driverXids = [] }) => {
      for (const { uuid, trouble } of gpuNotes) troubles.set(uuid, trouble);
      waiting = [...waiting, ...xids, ...driverXids].slice(-MOST_WAITING);
    },
    take: (now, runs) => {
      const contexts = new Map(runs.map((run) => [run.id, run]));
      const known = gpus.uuids().flatMap((uuid) => {
        const newest = fresh(`gpu:${uuid}`, now);
        const values = answersIn(newest) ? newest : null;
        // A MIG instance that is silent was most often done away with.
        return values === null && gpus.placeOf(uuid)?.mig ? [] : [{ uuid, values }];
      });
      const answering = known.filter(({ values }) => values !== null).length;
      const strangers = gpus.processes() === null ? null : gpus.strangers();
      const xids = waiting;
      waiting = waiting.filter(({ gpu }) => uuidOf(gpu) === undefined);
      return known.map(({ uuid, values }) => ({
        gpu: gpus.subjectOf(uuid),
        uuid,
        values,
        trouble: troubles.get(uuid) ?? null,
        othersAnswer: answering > (values === null ? 0 : 1),
        strangers: strangers?.filter(({ gpuUuid }) => gpuUuid === uuid) ?? null,
        xids: xids.filter(({ gpu }) => uuidOf(gpu) === uuid),
        run: contexts.get(runOf(uuid, values !== null) ?? '') ?? null,
      }));
    },
  };
};

/** A GPU that is lost has samples too: of nothing but null, to mark the gap. */
const answersIn = (values: Values | null): boolean =>
  values !== null && ['utilization', 'memoryUsed', 'temperature', 'power'].some((metric) => values[metric] != null);
