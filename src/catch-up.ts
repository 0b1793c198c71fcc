import type { RuleState, Store } from './core/ports.ts';
import { ACTIVE_RUN_STATES, type Run } from './core/run.ts';
import type { Sample } from './core/sample.ts';
import type { RunContext, TickInput } from './rules/rule.ts';

/** One tick that a rule may have missed. */
export type MissedTick = { readonly at: number; readonly tick: Omit<TickInput, 'kind' | 'at'> };

/** States are written once a minute: what is further away was sampled while nobody watched the run. */
const UNSAVED_AT_MOST_MS = 2 * 60_000;

/**
 * What the rules have not seen: the states of rules that samples feed are written once a minute, so after a restart
 * the samples stored since then are given to them again, in their own time and order.
 */
export const missedTicks = (
  store: Store,
  states: readonly RuleState[],
  contextOf: (run: Run) => RunContext,
): readonly MissedTick[] => {
  const uuids = new Map(store.listGpus().map((gpu) => [gpu.gpu, gpu.uuid]));
  const missed: MissedTick[] = [];
  for (const run of store.listRuns({ states: ACTIVE_RUN_STATES, limit: 10_000 }).items) {
    const own = states.filter((state) => state.subject === `run:${run.id}`);
    if (own.length === 0 || run.gpus.length === 0) continue;
    const seenAt = Math.min(...own.map((state) => state.seenAt));
    const since = (subject: string) =>
      store.samplesSince(subject, seenAt + 1).filter((sample) => sample.at <= seenAt + UNSAVED_AT_MOST_MS);
    const gpus = run.gpus.map((gpu) => ({ gpu, samples: since(`gpu:${uuids.get(gpu)}`) }));
    const host = since(`host:${run.host}`);
    const writtenAt = store.rowsOf(run.id).flatMap((row) => (row.at !== null && row.at > seenAt ? [row.at] : []));
    let before = seenAt;
    for (const { at } of gpus[0]?.samples ?? []) {
      const values = gpus.flatMap(({ gpu, samples }) => {
        const sample = newestUntil(samples, at);
        return sample === undefined ? [] : [{ gpu, values: sample.values }];
      });
      missed.push({
        at,
        tick: {
          run: contextOf(run),
          gpus: values.length === gpus.length ? values : null,
          host: newestUntil(host, at)?.values ?? null,
          rowWritten: writtenAt.some((rowAt) => rowAt > before && rowAt <= at),
        },
      });
      before = at;
    }
  }
  return missed.sort((a, b) => a.at - b.at);
};

const newestUntil = (samples: readonly Sample[], at: number): Sample | undefined =>
  samples.findLast((sample) => sample.at <= at);
