import { missedTicks } from './catch-up.ts';
import type { Alert } from './core/alert.ts';
import type { Batch } from './core/batch.ts';
import type { Bus } from './core/bus.ts';
import type { Clock } from './core/clock.ts';
import type { DurableTopic, Store, StreamEvent } from './core/ports.ts';
import { isActive, type Run } from './core/run.ts';
import { gpuSampleOf, hostSampleOf, type Sample } from './core/sample.ts';
import type { Engine } from './rules/engine.ts';
import type { RunContext, TickInput } from './rules/rule.ts';
import type { RunTracker } from './run-tracker.ts';

/**
 * The one way in. Store first, publish second: whatever a client is told, it can look up.
 *
 *   batch ──ingest──► store ──what was new──► rules ──alerts──► store ──commit──► bus
 *   clock ──judge───► rules ──alerts──► store ──commit──► bus
 *
 * Rows, the rules' states, alerts and their events are written in one transaction: a kill at any moment leaves all of
 * them or none, so that a restart neither loses a row, nor judges it twice, nor tells a client of it twice.
 */
export type Pipeline = {
  /** Appends what a collector found. Throws when the store cannot be written; call {@link Pipeline.reload} then. */
  readonly ingest: (batch: Batch) => void;
  /** The clock's tick, about once a second: lets rules and run states notice that nothing came. */
  readonly judge: () => void;
  /** Takes the rules' states from the store: at start, and after a write that failed. */
  readonly reload: () => void;
  /** Writes what is still in memory. */
  readonly flush: () => void;
};

type Durable = { topic: DurableTopic; run: string | null; at: number; data: StreamEvent['data'] };

/** Samples older than this many periods say nothing about now. */
const STALE_PERIODS = 5;

export const createPipeline = (deps: {
  readonly store: Store;
  readonly engine: Engine;
  readonly tracker: RunTracker;
  readonly bus: Bus;
  readonly clock: Clock;
  /** The longer of the two sampling periods, in ms. */
  readonly samplePeriodMs: number;
  /** Hears of every run when it is first seen, ends, or begins again. */
  readonly onRun: (run: Run, wasActive: boolean) => void;
}): Pipeline => {
  const { store, engine, tracker, bus, clock } = deps;
  const latest = new Map<string, Sample>();
  const rowWritten = new Set<string>();
  let host: string | null = null;

  /** Runs `work` as one transaction, then publishes what it made. */
  const commit = (work: (now: number, durable: Durable[]) => readonly Sample[]) => {
    const now = clock.now();
    const events = store.transaction(() => {
      const durable: Durable[] = [];
      const samples = work(now, durable);
      store.saveRuleStates(engine.dirtyStates(now));
      const stored = durable.length > 0 ? store.addEvents(durable) : [];
      return [...stored, ...sampledEvents(samples, now)];
    });
    bus.publish(events);
  };

  const sampledEvents = (samples: readonly Sample[], now: number): StreamEvent[] => {
    if (samples.length === 0) return [];
    const cursor = store.cursor();
    const gpus = new Map(store.listGpus().map((gpu) => [gpu.uuid, gpu]));
    return samples.map((sample) => {
      const gpu = gpus.get(sample.subject.replace(/^gpu:/, ''));
      const common = { cursor, at: now };
      if (gpu === undefined) return { ...common, topic: 'host', run: null, gpu: null, data: hostSampleOf(sample) };
      const run = tracker.runOf(gpu.uuid);
      return { ...common, topic: 'gpu', run, gpu: gpu.index, data: gpuSampleOf(sample, gpu.gpu, gpu.uuid, run) };
    });
  };

  const takeRun = (observed: NonNullable<Batch['runs']>[number], now: number, durable: Durable[]) => {
    const { run, newRows, isNew, wasActive } = tracker.observe(observed, now);
    const context = contextOf(run);
    const active = isActive(run);
    const changed = store.saveRun(run);
    if (isNew && !active) {
      // An old run: one event; judged in its own time, its alerts are history and told to nobody.
      durable.push({ topic: 'runs', run: run.id, at: now, data: run });
      store.saveAlerts(engine.backfill(context, newRows, run.endedAt ?? now));
      deps.onRun(run, false);
      return;
    }
    if (isNew) durable.push({ topic: 'runs', run: run.id, at: now, data: run });
    for (const row of newRows) {
      durable.push({ topic: 'epochs', run: run.id, at: now, data: { ...row, run: run.id } });
    }
    if (newRows.length > 0) rowWritten.add(run.id);
    if (changed && !isNew) durable.push({ topic: 'runs', run: run.id, at: now, data: run });
    takeAlerts(newRows.length > 0 ? engine.observeEpochs(context, newRows, now) : [], now, durable);
    if (wasActive === true && !active) endRun(run, now, durable);
    else if (isNew || wasActive !== active) deps.onRun(run, wasActive === true);
  };

  const takeAlerts = (alerts: readonly Alert[], now: number, durable: Durable[]) => {
    if (alerts.length === 0) return;
    store.saveAlerts(alerts);
    for (const alert of alerts) durable.push({ topic: 'alerts', run: alert.run, at: now, data: alert });
  };

  /** Saves runs whose state, GPUs or processes changed without a row. */
  const takeChanges = (runs: readonly Run[], now: number, durable: Durable[]) => {
    for (const run of runs) {
      if (!store.saveRun(run)) continue;
      durable.push({ topic: 'runs', run: run.id, at: now, data: run });
      if (!isActive(run)) endRun(run, now, durable);
    }
  };

  const endRun = (run: Run, now: number, durable: Durable[]) => {
    takeAlerts(engine.endRun(contextOf(run), now), now, durable);
    store.dropRuleStates(`run:${run.id}`);
    deps.onRun(run, true);
  };

  const withRunMemory = (sample: Sample): Sample => {
    if (!sample.subject.startsWith('gpu:')) return sample;
    const runMemory = tracker.runMemoryOn(sample.subject.slice('gpu:'.length));
    return { ...sample, values: { ...sample.values, runMemory } };
  };

  const tickOf = (run: Run, now: number): Omit<TickInput, 'kind' | 'at'> => {
    const uuids = tracker.gpusOf(run.id);
    const fresh = (subject: string) => {
      const sample = latest.get(subject);
      return sample !== undefined && now - sample.at <= STALE_PERIODS * deps.samplePeriodMs ? sample.values : null;
    };
    const gpus = uuids.flatMap((uuid, i) => {
      const values = fresh(`gpu:${uuid}`);
      return values === null ? [] : [{ gpu: run.gpus[i] ?? `gpu:${uuid}`, values }];
    });
    return {
      run: contextOf(run),
      gpus: gpus.length > 0 && gpus.length === uuids.length ? gpus : null,
      host: host === null ? null : fresh(host),
      rowWritten: rowWritten.has(run.id),
    };
  };

  return {
    ingest: (batch) =>
      commit((now, durable) => {
        if (batch.gpus !== undefined) store.saveGpus(batch.gpus, now);
        if (batch.host !== undefined) store.saveHost(batch.host, now);
        for (const observed of batch.runs ?? []) takeRun(observed, now, durable);
        if (batch.processes !== undefined) takeChanges(tracker.setProcesses(batch.processes, now), now, durable);
        const samples = store.appendSamples((batch.samples ?? []).map(withRunMemory));
        for (const sample of samples) {
          latest.set(sample.subject, sample);
          if (sample.subject.startsWith('host:')) host = sample.subject;
        }
        return samples;
      }),
    judge: () =>
      commit((now, durable) => {
        takeChanges(tracker.tick(now), now, durable);
        const ticks = tracker.active().map((run) => tickOf(run, now));
        rowWritten.clear();
        takeAlerts(engine.tick(now, ticks), now, durable);
        return [];
      }),
    reload: () => {
      tracker.reload();
      const states = store.ruleStates();
      engine.restore(states, store.openAlerts());
      commit((now, durable) => {
        for (const { at, tick } of missedTicks(store, states, contextOf))
          takeAlerts(engine.tick(at, [tick]), now, durable);
        return [];
      });
    },
    flush: () => store.transaction(() => store.flushSamples()),
  };
};

const contextOf = (run: Run): RunContext => ({
  id: run.id,
  name: run.name,
  epochsPlanned: run.epochsPlanned,
  epochBase: run.epochBase,
  args: run.args,
});
