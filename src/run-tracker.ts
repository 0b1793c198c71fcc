import { type Attribution, attributeGpus } from './core/attribution.ts';
import type { ObservedProcess, ObservedRun } from './core/batch.ts';
import { rememberFitness } from './core/fitness.ts';
import type { Store } from './core/ports.ts';
import { type EpochRow, isActive, type Run } from './core/run.ts';
import { type RunFacts, summarizeRun } from './core/run-summary.ts';
import type { GpuProcess } from './core/sample.ts';

/** What one look at a run folder changed. */
export type RunUpdate = {
  readonly run: Run;
  readonly newRows: readonly EpochRow[];
  readonly isNew: boolean;
  /** Whether it was active before this look; null at first sight. */
  readonly wasActive: boolean | null;
};

type Tracked = {
  facts: RunFacts;
  rows: EpochRow[];
  /** null only until it is summarized for the first time. */
  run: Run | null;
  rowsKeptOut: Map<string, number>;
  /** See `StateFacts.watchedSince`. */
  watchedSince: number | null;
  hadProcess: boolean;
};

/**
 * Keeps what is derived of runs while somebody looks at their folders: their rows in memory, their state, and which
 * GPUs and processes are theirs.
 */
export type RunTracker = {
  readonly observe: (observed: ObservedRun, now: number) => RunUpdate;
  /** Takes a list of all GPU processes (null: not knowable now); the runs that changed by it are returned. */
  readonly setProcesses: (processes: readonly ObservedProcess[] | null, now: number) => readonly Run[];
  /** Judges the active runs by the clock; those whose state changed are returned. */
  readonly tick: (now: number) => readonly Run[];
  readonly active: () => readonly Run[];
  readonly rowsOf: (run: string) => readonly EpochRow[];
  /** The UUIDs of the GPUs that belong to a run. */
  readonly gpusOf: (run: string) => readonly string[];
  readonly runOf: (gpuUuid: string) => string | null;
  /** Bytes that the run of this GPU holds on it by its own processes; null: not known. */
  readonly runMemoryOn: (gpuUuid: string) => number | null;
  /** Lets go of a run that nobody looks at any more; it is read from the store again when it stirs. */
  readonly forget: (run: string) => void;
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
  const fitness = rememberFitness();
  let processes: readonly ObservedProcess[] | null = null;
  let attribution: Attribution = { runs: new Map(), gpus: new Map(), processes: new Map() };

  const enter = (id: string, facts: RunFacts, watched: boolean): Tracked => {
    const entry: Tracked = {
      facts,
      rows: [...store.rowsOf(id)],
      run: null,
      rowsKeptOut: new Map(),
      watchedSince: watched ? deps.startedAt : null,
      hadProcess: false,
    };
    tracked.set(id, entry);
    return entry;
  };

  const summarize = (id: string, entry: Tracked, now: number): Run => {
    const own = attribution.runs.get(id);
    const alive = (own?.pids.length ?? 0) > 0;
    const stored = store.getRun(id);
    return {
      ...summarizeRun({
        id,
        host,
        facts: entry.facts,
        rows: entry.rows,
        fitness,
        rowsKeptOut: [...entry.rowsKeptOut.values()].reduce((a, b) => a + b, 0),
        watchedSince: entry.watchedSince,
        processes: alive ? 'alive' : entry.hadProcess && processes !== null ? 'gone' : 'unknown',
        gpus: own === undefined ? [] : subjectsOf(own.gpus),
        pids: own?.pids ?? [],
        now,
      }),
      tags: stored?.tags ?? [],
      notes: stored?.notes ?? '',
    };
  };

  const subjectsOf = (uuids: readonly string[]): string[] => {
    const names = new Map(store.listGpus().map((gpu) => [gpu.uuid, gpu.gpu]));
    return uuids.map((uuid) => names.get(uuid) ?? `gpu:${uuid}`);
  };

  const activeRuns = () => [...tracked.values()].flatMap(({ run }) => (run !== null && isActive(run) ? [run] : []));

  const attribute = () => {
    const runs = activeRuns();
    const gpus = store.listGpus();
    attribution = attributeGpus(runs, gpus, processes);
    for (const gpu of gpus) {
      store.setGpuUse(gpu.uuid, {
        run: attribution.gpus.get(gpu.uuid) ?? null,
        processes: processes?.filter((process) => process.gpuUuid === gpu.uuid).map(processOf) ?? null,
      });
    }
    for (const [id, own] of attribution.runs) {
      const entry = tracked.get(id);
      if (entry && own.pids.length > 0) entry.hadProcess = true;
    }
  };

  const processOf = (process: ObservedProcess): GpuProcess => {
    const match = attribution.processes.get(process.pid);
    return {
      pid: process.pid,
      user: process.user,
      command: process.command,
      memory: process.memory,
      utilization: null,
      run: match?.run ?? null,
      confidence: match?.confidence ?? null,
    };
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

  return {
    observe: (observed, now) => {
      const news = store.observeRun(observed, host, now);
      const { rows: _, ...facts } = observed;
      const stored = tracked.get(news.id)?.run ?? (news.isNew ? undefined : store.getRun(news.id));
      const wasActive = stored === undefined ? null : isActive(stored);
      const entry = tracked.get(news.id) ?? enter(news.id, facts, wasActive === true);
      entry.facts = facts;
      mergeRows(entry.rows, news.rows);
      if (observed.results !== null) entry.rowsKeptOut.set(observed.results.generation, observed.results.rowsKeptOut);
      if (news.rows.length > 0) entry.hadProcess = false;
      if (news.rows.length > 0 && wasActive === false) entry.watchedSince = now;

      // A run that has ended stays what it was until something new is written: silence alone cannot revive it.
      const stirs = news.rows.length > 0 || (facts.argsAt ?? 0) > (stored?.endedAt ?? 0);
      entry.run = stored !== undefined && wasActive === false && !stirs ? stored : summarize(news.id, entry, now);
      if (isActive(entry.run) !== (wasActive ?? false)) {
        if (isActive(entry.run)) entry.watchedSince ??= now;
        attribute();
        entry.run = summarize(news.id, entry, now);
      }
      return { run: entry.run, newRows: news.rows, isNew: news.isNew, wasActive };
    },
    forget: (run) => {
      tracked.delete(run);
    },
    setProcesses: (list, now) => {
      processes = list;
      attribute();
      return refresh(now, (a, b) => a.state !== b.state || !same(a.gpus, b.gpus) || !same(a.pids, b.pids));
    },
    tick: (now) => refresh(now, (a, b) => a.state !== b.state || a.stateReason !== b.stateReason),
    active: activeRuns,
    rowsOf: (run) => tracked.get(run)?.rows ?? store.rowsOf(run),
    gpusOf: (run) => attribution.runs.get(run)?.gpus ?? [],
    runOf: (uuid) => attribution.gpus.get(uuid) ?? null,
    runMemoryOn: (uuid) => {
      const run = attribution.gpus.get(uuid);
      if (run === undefined || processes === null) return null;
      const own = processes.filter((p) => p.gpuUuid === uuid && attribution.processes.get(p.pid)?.run === run);
      return own.length === 0 || own.some((p) => p.memory === null)
        ? null
        : own.reduce((total, p) => total + (p.memory ?? 0), 0);
    },
    reload: () => {
      for (const [id, entry] of tracked) {
        entry.run = store.getRun(id) ?? null;
        entry.rows = [...store.rowsOf(id)];
        if (entry.run === null) tracked.delete(id);
      }
    },
  };
};

/** Puts new and changed rows into a list that is in order of attempt and epoch. */
const mergeRows = (rows: EpochRow[], news: readonly EpochRow[]): void => {
  for (const row of news) {
    const last = rows.at(-1);
    if (last === undefined || order(last, row) < 0) {
      rows.push(row);
      continue;
    }
    const i = rows.findIndex((known) => order(known, row) >= 0);
    const known = rows[i];
    rows.splice(i, known !== undefined && order(known, row) === 0 ? 1 : 0, row);
  }
};

const order = (a: EpochRow, b: EpochRow): number => a.attempt - b.attempt || a.epoch - b.epoch;

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
