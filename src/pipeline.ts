import { type MissedTick, missedTicks } from './catch-up.ts';
import type { Alert } from './core/alert.ts';
import { type Batch, type ObservedOutput, type ObservedRun, PROCESS_NEWS } from './core/batch.ts';
import type { Bus } from './core/bus.ts';
import type { Clock } from './core/clock.ts';
import type { CollectorHealth } from './core/collector-health.ts';
import type { DurableTopic, OutputNews, Store, StreamEvent } from './core/ports.ts';
import { isActive, type Run } from './core/run.ts';
import type { RunFacts } from './core/run-summary.ts';
import type { Sample } from './core/sample.ts';
import type { RunEvent } from './core/trace.ts';
import { createOldRuns } from './old-runs.ts';
import type { Engine } from './rules/engine.ts';
import type { RunContext } from './rules/rule.ts';
import type { RunLook, RunTracker } from './run-tracker.ts';
import { hasResultFile, saidRows } from './said-rows.ts';
import { createSampled } from './sampled.ts';

/**
 * The one way in. Store first, publish second: whatever a client is told, it can look up.
 *
 *   batch ──ingest──► store what was new ──commit──► bus
 *                          └──► run state, rules ──► store runs and alerts ──commit──► bus
 *   clock ──judge───► run state, rules ──► store runs and alerts ──commit──► bus
 *
 * Each step is one transaction with its events: a kill at any moment leaves all of a step or none of it. What follows
 * from a row (the run's state, alerts) is the second step, so that nobody waits for it to see the row; when it was
 * killed or failed, it is made up for at the next look: the rules get the stored rows and pass over those they know.
 */
export type Pipeline = {
  /** Appends what a collector found. Throws when the store cannot be written; call {@link Pipeline.reload} then. */
  readonly ingest: (batch: Batch) => void;
  /** The clock's tick, about once a second: lets rules and run states notice that nothing came. */
  readonly judge: () => void;
  /** Goes back to what the store has: at start, and after a write that failed. Reads only. */
  readonly reload: () => void;
  /**
   * Judges a few rows of a run that had ended when it was first seen, in its own time; its alerts are history and told to
   * nobody. Returns whether there is more to judge.
   */
  readonly judgeOld: () => boolean;
  /** After the first look at everything: ends the runs that were active and whose folders are not there any more. */
  readonly endUnseen: () => void;
  /** Writes what is still in memory. */
  readonly flush: () => void;
};

/** One transaction in the making: its moment, and what is to be told once it is committed. */
type Step = {
  readonly now: number;
  readonly durable: Durable[];
  readonly samples: Sample[];
  readonly heard: { readonly run: string; readonly news: OutputNews }[];
};

type Durable = { topic: DurableTopic; run: string | null; at: number; data: StreamEvent['data'] };

/** There is a step at least once a second: after a pause this long the machine slept, or its clock was set. */
const NOBODY_LOOKED_MS = 10_000;

export const createPipeline = (deps: {
  readonly store: Store;
  readonly engine: Engine;
  readonly tracker: RunTracker;
  readonly bus: Bus;
  readonly clock: Clock;
  /** The name of the machine that we run on. */
  readonly host: string;
  /** The longer of the two sampling periods, in ms. */
  readonly samplePeriodMs: number;
  /** Hears of every run when it is first seen, ends, begins again or moves. */
  readonly onRun: (run: Run, before: { readonly wasActive: boolean; readonly path: string | null }) => void;
  /** Hears what living runs say of themselves, once it is stored. */
  readonly onHeard: (run: string, events: readonly RunEvent[], now: number) => void;
  /** Hears of a look at a run that had ended and still has. */
  readonly onRest: (run: Run) => void;
}): Pipeline => {
  const { store, engine, tracker, bus, clock } = deps;
  const oldRuns = createOldRuns({ store, engine, clock, contextOf });
  const sampled = createSampled({ gpus: tracker.gpus, samplePeriodMs: deps.samplePeriodMs });
  const rowWritten = new Set<string>();
  /** How the collectors do, since the last judging. */
  let collectors: readonly CollectorHealth[] | null = null;
  let awakeAt = clock.now();
  /** Ticks that the rules have not seen; the next judging begins with them. */
  let missed: readonly MissedTick[] = [];

  /** Runs `work` as one transaction, then publishes the events that it listed. */
  const commit = <T>(work: (step: Step) => T): T => {
    const now = clock.now();
    if (Math.abs(now - awakeAt) > NOBODY_LOOKED_MS) tracker.excuseSilence(now);
    awakeAt = now;
    const step: Step = { now, durable: [], samples: [], heard: [] };
    const { result, events } = store.transaction(() => {
      const result = work(step);
      for (const subject of engine.takeGone()) store.dropRuleStates(subject);
      store.saveRuleStates(engine.dirtyStates(now));
      const stored = step.durable.length > 0 ? store.addEvents(step.durable) : [];
      return { result, events: [...stored, ...sampledEvents(step)] };
    });
    for (const { run, news } of step.heard) deps.onHeard(run, news.events, now);
    bus.publish(events);
    return result;
  };

  const sampledEvents = ({ samples, heard, now }: Step): StreamEvent[] => {
    if (samples.length === 0 && heard.length === 0) return [];
    const cursor = store.cursor();
    const said = heard.flatMap(({ run, news }): StreamEvent[] => {
      const common = { cursor, at: now, run, gpu: null };
      return [
        ...news.steps.map((step) => ({ ...common, topic: 'batches' as const, data: { ...step, run } })),
        ...news.lines.map((line) => ({ ...common, topic: 'logs' as const, data: { ...line, run } })),
      ];
    });
    return [...said, ...samples.flatMap((sample) => sampled.eventOf(sample, now, cursor) ?? [])];
  };

  /**
   * First step: the rows of a look, and what the run's outputs say. A run that is new is derived at once: an old one
   * tells nothing of its rows, and there is nothing more to it now (null).
   */
  const append = (observed: ObservedRun, outputs: readonly ObservedOutput[], step: Step): RunLook | null => {
    const appended = tracker.append(observed, step.now);
    const heard = outputs.map((output) => store.observeOutput(appended.id, output, step.now));
    const look = heard.reduce(
      (before, news) => tracker.hear(before, news),
      withSaidRows(appended, observed, heard, step),
    );
    if (look.isNew) {
      const run = tracker.derive(look, step.now);
      saveRun(run);
      step.durable.push({ topic: 'runs', run: run.id, at: step.now, data: run });
      deps.onRun(run, { wasActive: false, path: null });
      const replaced = tracker.lose(run.path, 'folder_replaced', run.id, step.now);
      if (replaced !== null) takeChanges([replaced], step);
      if (!isActive(run)) {
        store.putOffJudging(run.id);
        return null;
      }
    }
    step.heard.push(...heard.map((news) => ({ run: look.id, news })));
    tellRows(look, step);
    return look;
  };

  /** First step of a look at nothing but an output. Null: its run is not known. */
  const appendOutput = (output: ObservedOutput, step: Step): RunLook | null => {
    const before = tracker.lookOf(output.path);
    if (before === null) return null;
    const news = store.observeOutput(before.id, output, step.now);
    step.heard.push({ run: before.id, news });
    const look = tracker.hear(withSaidRows(before, tracker.factsOf(before.id), [news], step), news);
    tellRows(look, step);
    return look;
  };

  const tellRows = ({ id, newRows }: RunLook, step: Step) => {
    for (const row of newRows) {
      step.durable.push({ topic: 'epochs', run: id, at: step.now, data: { ...row, run: id } });
    }
    if (newRows.length > 0) rowWritten.add(id);
  };

  /** Saves what was derived of a run, with the GPUs that it has now; true when anything changed. */
  const saveRun = (run: Run): boolean => {
    if (!store.saveRun(run)) return false;
    const gpus = tracker.gpus.gpusOf(run.id);
    store.addRunGpus(
      run.id,
      gpus.map((uuid) => ({ subject: `gpu:${uuid}`, firstAt: null, lastAt: null })),
    );
    return true;
  };

  /** A training that writes no result file may tell of its epochs in an output. */
  const withSaidRows = (look: RunLook, facts: RunFacts, heard: readonly OutputNews[], step: Step): RunLook => {
    if (hasResultFile(facts)) return look;
    const said = saidRows(heard, store.getRun(look.id)?.latest?.epoch ?? null);
    if (said === null) return look;
    const { newRows } = tracker.append({ ...facts, ...said }, step.now);
    return { ...look, newRows, unjudged: [...look.unjudged, ...newRows] };
  };

  /** Second step: what follows from a look. */
  const conclude = (look: RunLook, step: Step) => {
    const run = tracker.derive(look, step.now);
    const active = isActive(run);
    if (saveRun(run)) step.durable.push({ topic: 'runs', run: run.id, at: step.now, data: run });
    const beginsAgain = look.wasActive === false && active && store.endPutOff(run.id);
    const unjudged = beginsAgain ? store.rowsOf(run.id) : look.unjudged;
    const rests = look.wasActive === false && !active;
    // What is still to be judged as an old run is judged whole, with these rows.
    if (unjudged.length > 0 && !(rests && store.isPutOff(run.id))) {
      takeAlerts(engine.observeEpochs(contextOf(run), unjudged, step.now), step);
      if (rests) forgetRules(run, step);
    }
    if (look.wasActive === true && !active) endRun(run, step);
    else if (rests) deps.onRest(run);
    else if (look.wasActive === false || look.movedFrom !== null) {
      deps.onRun(run, { wasActive: look.wasActive === true, path: look.movedFrom });
    }
  };

  const takeAlerts = (alerts: readonly Alert[], { now, durable }: Step) => {
    if (alerts.length === 0) return;
    store.saveAlerts(alerts);
    for (const alert of alerts) durable.push({ topic: 'alerts', run: alert.run, at: now, data: alert });
  };

  /** Saves runs whose state, GPUs or processes changed without a row. */
  const takeChanges = (runs: readonly Run[], step: Step) => {
    for (const run of runs) {
      if (!saveRun(run)) continue;
      step.durable.push({ topic: 'runs', run: run.id, at: step.now, data: run });
      if (!isActive(run)) endRun(run, step);
    }
  };

  /** Nothing more is judged of a run that has ended. */
  const forgetRules = (run: Run, step: Step) => {
    takeAlerts(engine.endRun(contextOf(run), step.now), step);
    store.dropRuleStates(`run:${run.id}`);
  };

  const endRun = (run: Run, step: Step) => {
    forgetRules(run, step);
    deps.onRun(run, { wasActive: true, path: null });
  };

  /** What is true only now is kept by the store in memory: no transaction, no event. */
  const keepPresent = ({ gpuNotes = [], hostDetail, processTrees, collectors: told }: Batch) => {
    collectors = told ?? collectors;
    gpuNotes.forEach(store.setGpuNotes);
    if (hostDetail !== undefined) store.setHostDetail(hostDetail);
    if (processTrees !== undefined)
      store.setRunProcesses(new Map(processTrees.map(({ run, processes }) => [run, processes])));
  };

  return {
    ingest: (batch) => {
      const looks = commit((step) => {
        if (batch.gpus !== undefined) {
          store.saveGpus(batch.gpus, step.now);
          tracker.setGpus(batch.gpus);
        }
        if (batch.host !== undefined) store.saveHost(batch.host, step.now);
        sampled.hear(batch);
        const outputs = batch.outputs ?? [];
        const observed = batch.runs ?? [];
        const looks = observed.flatMap(
          (run) =>
            append(
              run,
              outputs.filter(({ path }) => path === run.path),
              step,
            ) ?? [],
        );
        const alone = outputs.filter(({ path }) => !observed.some((run) => run.path === path));
        looks.push(...alone.flatMap((output) => appendOutput(output, step) ?? []));
        for (const sample of store.appendSamples((batch.samples ?? []).map(sampled.complete))) {
          step.samples.push(sample);
          sampled.keep(sample);
        }
        return looks;
      });
      keepPresent(batch);
      const gone = batch.goneFolders ?? [];
      const tellsOfProcesses = PROCESS_NEWS.some((part) => batch[part] !== undefined);
      if (looks.length === 0 && !tellsOfProcesses && gone.length === 0) return;
      commit((step) => {
        for (const look of looks) conclude(look, step);
        takeChanges(
          gone.flatMap((path) => tracker.lose(path, 'folder_gone', null, step.now) ?? []),
          step,
        );
        if (tellsOfProcesses) takeChanges(tracker.setProcesses(batch, step.now), step);
      });
    },
    judge: () =>
      commit((step) => {
        for (const { at, tick } of missed) takeAlerts(engine.tick(at, [tick]), step);
        missed = [];
        takeChanges(tracker.tick(step.now), step);
        const active = tracker.active();
        takeAlerts(engine.tickGpus(step.now, sampled.gpuTicks(step.now, active.map(contextOf))), step);
        const ticks = active.map((run) => ({
          run: contextOf(run),
          ...sampled.inputOf(run, step.now),
          rowWritten: rowWritten.has(run.id),
        }));
        rowWritten.clear();
        takeAlerts(engine.tick(step.now, ticks), step);
        takeAlerts(engine.tickHost(step.now, { name: deps.host, host: sampled.host(step.now), collectors }), step);
        collectors = null;
      }),
    reload: () => {
      tracker.reload();
      const states = store.ruleStates();
      engine.restore(states, store.openAlerts());
      missed = missedTicks(store, states, contextOf);
    },
    judgeOld: oldRuns.judge,
    endUnseen: () => commit((step) => takeChanges(tracker.loseUnseen(), step)),
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
