import { type Attribution, attributeGpus, type GpuPlace } from './core/attribution.ts';
import type { ObservedGpu, ObservedProcess, ObservedRun } from './core/batch.ts';
import type { Store } from './core/ports.ts';
import { ACTIVE_RUN_STATES, type EpochRow, isActive, type Run } from './core/run.ts';
import { NO_PROGRESS, proceed, type RunProgress } from './core/run-progress.ts';
import type { StateFacts } from './core/run-state.ts';
import { type RunFacts, summarizeRun } from './core/run-summary.ts';
import type { GpuProcess } from './core/sample.ts';

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
  /** As last summarized, with the tags and notes of the store; null before the first time. */
  run: Run | null;
  rowsKeptOut: Map<string, number>;
  /** See `StateFacts.watchedSince`. */
  watchedSince: number | null;
  /** Processes that were last known to be the run's. */
  pids: ReadonlySet<number>;
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
  /** Derives the run from all that is known of it after a look. */
  readonly derive: (look: RunLook, now: number) => Run;
  /** Takes the GPUs that the driver lists. */
  readonly setGpus: (gpus: readonly ObservedGpu[]) => void;
  /** Takes a list of all GPU processes (null: not knowable now); the runs that changed by it are returned. */
  readonly setProcesses: (processes: readonly ObservedProcess[] | null, now: number) => readonly Run[];
  /** Judges the active runs by the clock; those whose state changed are returned. */
  readonly tick: (now: number) => readonly Run[];
  readonly active: () => readonly Run[];
  /** The UUIDs of the GPUs that belong to a run. */
  readonly gpusOf: (run: string) => readonly string[];
  readonly runOf: (gpuUuid: string) => string | null;
  /** Today's place of a GPU: `gpu:INDEX` is its subject; undefined for one that is not there. */
  readonly placeOf: (gpuUuid: string) => GpuPlace | undefined;
  /** Bytes that the run of this GPU holds on it by its own processes; null: not known. */
  readonly runMemoryOn: (gpuUuid: string) => number | null;
  /** Lets go of a run that nobody looks at any more; it is read from the store again when it stirs. */
  readonly forget: (run: string) => void;
  /** Ends the active run, other than `except`, whose folder was at this path. */
  readonly lose: (path: string, except: string, now: number) => Run | null;
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
  const places = new Map<string, GpuPlace>(store.listGpus().map(({ uuid, index }) => [uuid, { uuid, index }]));
  let processes: readonly ObservedProcess[] | null = null;
  let attribution: Attribution = { runs: new Map(), gpus: new Map(), processes: new Map() };

  const readProgress = (id: string): RunProgress => store.rowsOf(id).reduce(proceed, NO_PROGRESS);

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

  const enter = (id: string, facts: RunFacts, stored: Run | null): Tracked => {
    const entry: Tracked = {
      facts,
      progress: readProgress(id),
      run: stored,
      rowsKeptOut: new Map(),
      watchedSince: stored !== null && isActive(stored) ? deps.startedAt : null,
      pids: new Set(),
      lost: null,
      stirs: true,
      judgeAll: stored !== null,
    };
    tracked.set(id, entry);
    return entry;
  };

  const summarize = (id: string, entry: Tracked, now: number): Run => {
    const own = attribution.runs.get(id);
    return {
      ...summarizeRun({
        id,
        host,
        facts: entry.facts,
        progress: entry.progress,
        rowsKeptOut: [...entry.rowsKeptOut.values()].reduce((a, b) => a + b, 0),
        watchedSince: entry.watchedSince,
        lost: entry.lost,
        processes: presence(entry.pids),
        // A run that has ended keeps the GPUs that it ran on.
        gpus: own === undefined ? (entry.run?.gpus ?? []) : subjectsOf(own.gpus),
        pids: own?.pids ?? [],
        now,
      }),
      tags: entry.run?.tags ?? [],
      notes: entry.run?.notes ?? '',
    };
  };

  const presence = (pids: ReadonlySet<number>): StateFacts['processes'] => {
    if (pids.size === 0 || processes === null) return 'unknown';
    return processes.some(({ pid }) => pids.has(pid)) ? 'alive' : 'gone';
  };

  const subjectsOf = (uuids: readonly string[]): string[] =>
    uuids.map((uuid) => `gpu:${places.get(uuid)?.index ?? uuid}`);

  const activeRuns = () => [...tracked.values()].flatMap(({ run }) => (run !== null && isActive(run) ? [run] : []));

  const attribute = () => {
    const runs = [...tracked.values()].flatMap(({ run, facts }) =>
      // A resume writes its arguments anew: that is when the process which runs now began.
      run !== null && isActive(run) ? [{ ...run, startedAt: facts.argsAt ?? run.startedAt }] : [],
    );
    attribution = attributeGpus(runs, [...places.values()], processes, attribution.processes);
    for (const uuid of places.keys()) {
      store.setGpuUse(uuid, {
        run: attribution.gpus.get(uuid) ?? null,
        processes: processes?.filter((process) => process.gpuUuid === uuid).map(processOf) ?? null,
      });
    }
    for (const [id, own] of attribution.runs) {
      const entry = tracked.get(id);
      if (entry && own.pids.length > 0) entry.pids = new Set(own.pids);
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
    append: (observed, now) => {
      const { id, isNew, rows } = store.observeRun(observed, host, now);
      const { rows: _, ...facts } = observed;
      const before = tracked.get(id);
      const entry = before ?? enter(id, facts, isNew ? null : (store.getRun(id) ?? null));
      if (before !== undefined) advance(id, entry, rows);
      const wasActive = entry.run === null ? null : isActive(entry.run);
      const movedFrom = entry.run !== null && entry.run.path !== facts.path ? entry.run.path : null;
      // A run that has ended stays what it was until something new is written: silence alone cannot revive it.
      entry.stirs = rows.length > 0 || (facts.argsAt ?? 0) > (entry.run?.endedAt ?? 0);
      entry.facts = facts;
      if (observed.results !== null) entry.rowsKeptOut.set(observed.results.generation, observed.results.rowsKeptOut);
      // It writes: whatever became of the processes that we knew, others do its work.
      if (rows.length > 0 && presence(entry.pids) === 'gone') entry.pids = new Set();
      entry.lost = null;
      if (rows.length > 0 && wasActive === false) entry.watchedSince = now;
      const unjudged = entry.judgeAll && wasActive === true ? store.rowsOf(id) : rows;
      entry.judgeAll = false;
      return { id, isNew, wasActive, movedFrom, newRows: rows, unjudged };
    },
    derive: ({ id, wasActive }, now) => {
      const entry = tracked.get(id);
      if (entry === undefined) throw new Error(`run ${id} was let go of before it was derived`);
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
    lose: (path, except, now) => {
      for (const [id, entry] of tracked) {
        if (id === except || entry.run?.path !== path || !isActive(entry.run)) continue;
        entry.lost = 'folder_replaced';
        entry.run = summarize(id, entry, now);
        attribute();
        return entry.run;
      }
      return null;
    },
    loseUnseen: () =>
      store
        .listRuns({ states: ACTIVE_RUN_STATES, limit: 10_000 })
        .items.filter((run) => !tracked.has(run.id))
        .map((run) => ({
          ...run,
          state: run.epochs === 0 ? 'failed' : 'stopped',
          stateReason: 'folder_gone',
          stateEvidence: [`${run.path} was not found when the service started`],
          endedAt: run.updatedAt,
          etaAt: null,
        })),
    excuseSilence: (now) => {
      for (const entry of tracked.values()) {
        if (entry.run !== null && isActive(entry.run)) entry.watchedSince = now;
      }
    },
    forget: (run) => {
      tracked.delete(run);
    },
    setGpus: (gpus) => {
      const moved = gpus.some(({ uuid, index }) => places.get(uuid)?.index !== index);
      if (!moved) return;
      const taken = new Set(gpus.map(({ index }) => index));
      for (const [uuid, { index }] of places) if (taken.has(index)) places.delete(uuid);
      for (const { uuid, index } of gpus) places.set(uuid, { uuid, index });
      attribute();
    },
    setProcesses: (list, now) => {
      processes = list;
      attribute();
      return refresh(now, (a, b) => a.state !== b.state || !same(a.gpus, b.gpus) || !same(a.pids, b.pids));
    },
    tick: (now) => refresh(now, (a, b) => a.state !== b.state || a.stateReason !== b.stateReason),
    active: activeRuns,
    gpusOf: (run) => attribution.runs.get(run)?.gpus ?? [],
    runOf: (uuid) => attribution.gpus.get(uuid) ?? null,
    placeOf: (uuid) => places.get(uuid),
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
        entry.progress = readProgress(id);
        entry.judgeAll = true;
        if (entry.run === null) tracked.delete(id);
      }
    },
  };
};

const order = (a: EpochRow, b: EpochRow): number => a.attempt - b.attempt || a.epoch - b.epoch;

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
