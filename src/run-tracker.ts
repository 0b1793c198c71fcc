import { matchCandidates } from './core/attribution.ts';
import type { ObservedGpu, ObservedRun, ProcessNews } from './core/batch.ts';
import type { KnownOutput } from './core/output-facts.ts';
import type { OutputNews, Store } from './core/ports.ts';
import { ACTIVE_RUN_STATES, type EpochRow, isActive, type Run } from './core/run.ts';
import type { StateFacts } from './core/run-facts.ts';
import { NO_PROGRESS, proceed, type RunProgress } from './core/run-progress.ts';
import { type RunFacts, summarizeRun } from './core/run-summary.ts';
import { createGpuUse, type GpuUse } from './gpu-use.ts';
import { isIngested } from './ingested-run.ts';
import { FILES_BEFORE, factsLeftOf, notFoundAgain } from './run-left.ts';
import { createRunLives } from './run-lives.ts';

/** What one look at a run folder found, before anything is derived from it. */
export type RunLook = {
  readonly id: string;
  readonly isNew: boolean;
  /** Whether it was active before this look; null at first sight. */
  readonly wasActive: boolean | null;
  /** The path under which it was known until now, when its folder was moved. */
  readonly movedFrom: string | null;
  readonly newRows: readonly EpochRow[];
  /** Rows that the rules may not have seen: the new ones, and after a restart or a failed write all that are stored. */
  readonly unjudged: readonly EpochRow[];
};

type Tracked = {
  facts: RunFacts;
  progress: RunProgress;
  /** By their source. */
  outputs: ReadonlyMap<string, KnownOutput>;
  /** As last summarized, with the tags and notes of the store; null before the first time. */
  run: Run | null;
  rowsKeptOut: Map<string, number>;
  /** See `StateFacts.watchedSince`. */
  watchedSince: number | null;
  lost: StateFacts['lost'];
  /** The last look found something that an ended run can begin again by. */
  stirs: boolean;
  /** The rules may have missed stored rows: they get all of them once, and pass over those that they know. */
  judgeAll: boolean;
};

/**
 * Keeps what is derived of runs while somebody looks at their folders: how far they are, their state, and which GPUs
 * and processes are theirs.
 */
export type RunTracker = {
  /** Stores what a look found. */
  readonly append: (observed: ObservedRun, now: number) => RunLook;
  /** Takes what was new in an output of a run, as a look or as a part of one. */
  readonly hear: (look: RunLook, news: OutputNews) => RunLook;
  /** A look at a run that found nothing yet; null: no run is known at this path. */
  readonly lookOf: (path: string) => RunLook | null;
  /** What the last look at the folder of a run found; the run is one of a look. */
  readonly factsOf: (run: string) => RunFacts;
  /** Derives the run from all that is known of it after a look. */
  readonly derive: (look: RunLook, now: number) => Run;
  /** Takes the GPUs that the driver lists. */
  readonly setGpus: (gpus: readonly ObservedGpu[]) => void;
  /** Takes what a look tells of processes, on GPUs and off them; the runs that changed by it are returned. */
  readonly setProcesses: (batch: ProcessNews, now: number) => readonly Run[];
  /** The pids of active runs to ask /proc for. */
  readonly pidsToWatch: () => readonly number[];
  /** Active runs whose process nobody knows. */
  readonly withoutProcess: () => readonly Run[];
  /** Judges the active runs by the clock; those whose state changed are returned. */
  readonly tick: (now: number) => readonly Run[];
  readonly active: () => readonly Run[];
  readonly gpus: Pick<
    GpuUse,
    'gpusOf' | 'runOf' | 'uuids' | 'placeOf' | 'subjectOf' | 'processes' | 'strangers' | 'runMemoryOn'
  >;
  /** Lets go of a run that nobody looks at any more; it is read from the store again when it stirs. */
  readonly forget: (run: string) => void;
  /** Ends the active run, other than `except`, whose folder was at this path. */
  readonly lose: (path: string, why: NonNullable<StateFacts['lost']>, except: string | null, now: number) => Run | null;
  /** Ends the runs that were active when the service was last up and that no look has found since it started. */
  readonly loseUnseen: () => readonly Run[];
  /** Nobody looked until now (the machine slept, the clock was set): that is no silence of the runs. */
  readonly excuseSilence: (now: number) => void;
  /** Goes back to the rows and states that the store has: a write has failed. */
  readonly reload: () => void;
};

export const createRunTracker = (deps: {
  readonly store: Store;
  readonly host: string;
  readonly startedAt: number;
}): RunTracker => {
  const { store, host } = deps;
  const tracked = new Map<string, Tracked>();
  const gpus = createGpuUse({ store });
  const lives = createRunLives({ host, gpus, store });

  const readProgress = (id: string): RunProgress => store.rowsOf(id).reduce(proceed, NO_PROGRESS);

  const readOutputs = (id: string) => new Map(store.outputsOf(id).map((output) => [output.source, output]));

  /** Goes on with rows that follow; a row that changed one of before makes it begin anew. */
  const advance = (id: string, entry: Tracked, rows: readonly EpochRow[]) => {
    for (const row of rows) {
      const { last } = entry.progress;
      if (last !== null && order(last, row) >= 0) {
        entry.progress = readProgress(id);
        return;
      }
      entry.progress = proceed(entry.progress, row);
    }
  };

  /** `rows`: all of the run; null: they are in the store. */
  const enter = (id: string, facts: RunFacts, stored: Run | null, rows: readonly EpochRow[] | null): Tracked => {
    const entry: Tracked = {
      facts,
      progress: rows === null ? readProgress(id) : rows.reduce(proceed, NO_PROGRESS),
      outputs: readOutputs(id),
      run: stored,
      rowsKeptOut: new Map(),
      watchedSince: stored !== null && isActive(stored) ? deps.startedAt : null,
      lost: null,
      stirs: true,
      judgeAll: stored !== null,
    };
    tracked.set(id, entry);
    for (const { facts: said } of entry.outputs.values()) if (said.start !== null) lives.said(id, said.start);
    if (stored !== null && isActive(stored)) lives.onGpus(id, stored.pids);
    return entry;
  };

  const summarize = (id: string, entry: Tracked, now: number): Run => {
    const ends = lives.facts(id, now);
    return {
      ...summarizeRun({
        id,
        host,
        facts: entry.facts,
        progress: entry.progress,
        rowsKeptOut: [...entry.rowsKeptOut.values()].reduce((a, b) => a + b, 0),
        watchedSince: entry.watchedSince,
        lost: entry.lost,
        outputs: [...entry.outputs.values()],
        ...ends,
        // A run that has ended keeps the GPUs that it ran on.
        gpus: gpus.subjectsOf(id) ?? entry.run?.gpus ?? [],
        pids: union(gpus.pidsOf(id), ends.process.status === 'alive' ? ends.process.pids : []),
        now,
      }),
      tags: entry.run?.tags ?? [],
      notes: entry.run?.notes ?? '',
    };
  };

  const activeInStore = () => store.listRuns({ states: ACTIVE_RUN_STATES, limit: 10_000 }).items;
  const activeRuns = () => [...tracked.values()].flatMap(({ run }) => (run !== null && isActive(run) ? [run] : []));

  /** The active runs with the moment at which the process that runs now began: a resume writes its arguments anew. */
  const beganRuns = () =>
    [...tracked.values()].flatMap(({ run, facts }) =>
      run !== null && isActive(run)
        ? [{ ...run, startedAt: facts.argsAt ?? run.startedAt, processes: lives.knownOf(run.id) }]
        : [],
    );

  const attribute = () => {
    const runs = beganRuns();
    gpus.attribute(runs);
    for (const { id } of runs) {
      const pids = gpus.pidsOf(id);
      if (pids.length > 0) lives.onGpus(id, pids);
    }
    for (const [pid, match] of gpus.matches()) lives.matched(match.run, pid, match);
  };

  /** Summarizes every active run anew and keeps those that differ in what `changed` looks at. */
  const refresh = (now: number, changed: (before: Run, after: Run) => boolean): Run[] => {
    const result: Run[] = [];
    for (const [id, entry] of tracked) {
      const before = entry.run;
      if (before === null || !isActive(before)) continue;
      const after = summarize(id, entry, now);
      if (!changed(before, after)) continue;
      entry.run = after;
      result.push(after);
    }
    if (result.some((run) => !isActive(run))) attribute();
    return result;
  };

  const inPlace = (path: string, work: (run: string) => void) => {
    const id = store.runAt(path, host);
    if (id !== null && tracked.has(id)) work(id);
  };

  const entryOf = (id: string): Tracked => {
    const entry = tracked.get(id);
    if (entry === undefined) throw new Error(`run ${id} was let go of before it was derived`);
    return entry;
  };

  return {
    append: (observed, now) => {
      const { id, isNew, rows } = store.observeRun(observed, host, now);
      const { rows: _, ...facts } = observed;
      const before = tracked.get(id);
      const entry = before ?? (isNew ? enter(id, facts, null, rows) : enter(id, facts, store.getRun(id) ?? null, null));
      if (before !== undefined) advance(id, entry, rows);
      const wasActive = entry.run === null ? null : isActive(entry.run);
      const movedFrom = entry.run !== null && entry.run.path !== facts.path ? entry.run.path : null;
      // A run that has ended stays what it was until something new is written: silence alone cannot revive it.
      const isBack = entry.lost !== null || entry.run?.stateReason === 'folder_gone';
      entry.stirs = rows.length > 0 || isBack || (facts.argsAt ?? 0) > (entry.run?.endedAt ?? 0);
      entry.facts = facts;
      entry.rowsKeptOut.delete(FILES_BEFORE);
      if (observed.results !== null) entry.rowsKeptOut.set(observed.results.generation, observed.results.rowsKeptOut);
      if (rows.length > 0) lives.writes(id);
      entry.lost = null;
      if (rows.length > 0 && wasActive === false) entry.watchedSince = now;
      const unjudged = entry.judgeAll && wasActive === true ? store.rowsOf(id) : rows;
      entry.judgeAll = false;
      return { id, isNew, wasActive, movedFrom, newRows: rows, unjudged };
    },
    hear: (look, { known, events }) => {
      const entry = entryOf(look.id);
      entry.outputs = new Map([...entry.outputs, [known.source, known]]);
      if (events.some(({ kind }) => kind !== 'log')) entry.stirs = true;
      if (known.facts.start !== null) lives.said(look.id, known.facts.start);
      return look;
    },
    lookOf: (path) => {
      const id = store.runAt(path, host);
      if (id === null) return null;
      if (!tracked.has(id)) {
        const run = store.getRun(id);
        if (run === undefined) return null;
        const entry = enter(id, factsLeftOf(run), run, null);
        entry.stirs = false;
        entry.rowsKeptOut.set(FILES_BEFORE, run.rowsKeptOut);
      }
      const { run: derived } = entryOf(id);
      const wasActive = derived === null ? null : isActive(derived);
      return { id, isNew: false, wasActive, movedFrom: null, newRows: [], unjudged: [] };
    },
    factsOf: (id) => entryOf(id).facts,
    derive: ({ id, wasActive }, now) => {
      const entry = entryOf(id);
      let run = entry.run !== null && wasActive === false && !entry.stirs ? entry.run : summarize(id, entry, now);
      entry.run = run;
      if (isActive(run) !== (wasActive ?? false)) {
        if (isActive(run)) entry.watchedSince ??= now;
        attribute();
        run = summarize(id, entry, now);
        entry.run = run;
      }
      return run;
    },
    lose: (path, why, except, now) => {
      for (const [id, entry] of tracked) {
        if (id === except || entry.run?.path !== path || !isActive(entry.run)) continue;
        entry.lost = why;
        entry.run = summarize(id, entry, now);
        attribute();
        return entry.run;
      }
      return null;
    },
    loseUnseen: () =>
      activeInStore().flatMap((run) => (tracked.has(run.id) || isIngested(run) ? [] : notFoundAgain(run))),
    excuseSilence: (now) => {
      for (const entry of tracked.values()) {
        if (entry.run !== null && isActive(entry.run)) entry.watchedSince = now;
      }
    },
    forget: (run) => {
      tracked.delete(run);
      lives.forget(run);
    },
    setGpus: (list) => {
      if (gpus.setGpus(list)) attribute();
    },
    setProcesses: (batch, now) => {
      const { lives: seen = [], candidates = [], launches = [], exits = [], kernelKills = [] } = batch;
      if (gpus.hear(batch)) attribute();
      for (const match of matchCandidates(beganRuns(), candidates).values()) lives.matched(match.run, match.pid, match);
      for (const { path, pid, startedAt } of launches) inPlace(path, (id) => lives.launched(id, pid, startedAt));
      for (const exit of exits) inPlace(exit.path, (id) => lives.exited(id, exit));
      lives.killed(kernelKills);
      lives.see(seen, now);
      return refresh(now, (a, b) => a.state !== b.state || !same(a.gpus, b.gpus) || !same(a.pids, b.pids));
    },
    pidsToWatch: () => lives.pidsOf(activeRuns()),
    withoutProcess: () => lives.withoutProcess(beganRuns()),
    tick: (now) => refresh(now, (a, b) => a.state !== b.state || a.stateReason !== b.stateReason),
    active: activeRuns,
    gpus,
    reload: () => {
      // No look at a folder will find these again; by the clock they still end.
      for (const run of activeInStore()) {
        if (isIngested(run) && !tracked.has(run.id)) enter(run.id, factsLeftOf(run), run, null);
      }
      for (const [id, entry] of tracked) {
        entry.run = store.getRun(id) ?? null;
        entry.progress = readProgress(id);
        entry.outputs = readOutputs(id);
        entry.judgeAll = true;
        if (entry.run === null) tracked.delete(id);
      }
    },
  };
};

const order = (a: EpochRow, b: EpochRow): number => a.attempt - b.attempt || a.epoch - b.epoch;

const union = (a: readonly number[], b: readonly number[]) => [...new Set([...a, ...b])].sort((x, y) => x - y);

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
