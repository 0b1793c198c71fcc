import type { ProcessMatch } from './core/attribution.ts';
import type { ObservedExit, ObservedKernelKill, ObservedLife } from './core/batch.ts';
import type { Store } from './core/ports.ts';
import type { ProcessPresence, StateFacts } from './core/run-facts.ts';
import {
  type KnownProcess,
  killOf,
  launchedProcess,
  matchedProcess,
  meet,
  part,
  pidsToWatch,
  presenceOf,
  presenceOnGpus,
  saidProcess,
  seeLives,
} from './core/run-processes.ts';
import type { StartEvent } from './core/trace.ts';
import type { GpuUse } from './gpu-use.ts';

/** What is known of the processes of runs, whoever told of them, and how they ended. Runs are named by their id. */
export type RunLives = {
  /** The run's output says that it began as this process. */
  readonly said: (run: string, start: StartEvent) => void;
  readonly matched: (run: string, pid: number, match: ProcessMatch) => void;
  /**
   * `startedAt` as /proc says it. A script that trains one model after the other is one process: it does the work of the
   * run that it was told of last, and no other's.
   */
  readonly launched: (run: string, pid: number, startedAt: number) => void;
  readonly exited: (run: string, exit: ObservedExit) => void;
  readonly see: (lives: readonly ObservedLife[], now: number) => void;
  readonly killed: (kills: readonly ObservedKernelKill[]) => void;
  /** The driver lists these processes of the run. */
  readonly onGpus: (run: string, pids: readonly number[]) => void;
  /** It writes: whatever became of the processes that are known, others do its work. */
  readonly writes: (run: string) => void;
  /** What of the processes a state is judged by. */
  readonly facts: (run: string, now: number) => Pick<StateFacts, 'process' | 'exit' | 'kernelKill'>;
  /** All processes that are known to do or to have done its work. */
  readonly knownOf: (run: string) => readonly KnownProcess[];
  /** Of these runs, those whose process nobody knows. */
  readonly withoutProcess: <T extends { readonly id: string }>(runs: readonly T[]) => readonly T[];
  /** The pids of these runs to ask /proc for. */
  readonly pidsOf: (runs: readonly { readonly id: string }[]) => readonly number[];
  readonly forget: (run: string) => void;
};

type Lives = {
  known: readonly KnownProcess[];
  exit: ObservedExit | null;
  /** Pids that the driver listed last, for processes that /proc does not show. */
  onGpus: readonly number[];
  presence: ProcessPresence;
};

/** A kernel that kills again and again says nothing new of the older victims. */
const KILLS_KEPT = 100;

/** The processes of a run are kept in the store, so that a restart knows them again. */
export const createRunLives = ({
  host,
  gpus,
  store,
}: {
  readonly host: string;
  readonly gpus: GpuUse;
  readonly store: Pick<Store, 'saveProcesses' | 'processesOf'>;
}): RunLives => {
  const byRun = new Map<string, Lives>();
  let kills: readonly ObservedKernelKill[] = [];

  const of = (run: string): Lives => {
    const found = byRun.get(run);
    if (found !== undefined) return found;
    const lives: Lives = { known: store.processesOf(run), exit: null, onGpus: [], presence: { status: 'unknown' } };
    byRun.set(run, lives);
    return lives;
  };
  const change = (run: string, lives: Lives, known: readonly KnownProcess[]) => {
    if (inShort(known) !== inShort(lives.known)) store.saveProcesses(run, known);
    lives.known = known;
  };
  const add = (run: string, process: KnownProcess | null) => {
    if (process === null) return;
    const lives = of(run);
    change(run, lives, meet(lives.known, process));
  };

  return {
    said: (run, start) => add(run, saidProcess(start, host)),
    matched: (run, pid, match) => add(run, matchedProcess(pid, match)),
    launched: (run, pid, startedAt) => {
      const process = launchedProcess(pid, startedAt);
      for (const [other, lives] of byRun) if (other !== run) change(other, lives, part(lives.known, process));
      add(run, process);
    },
    exited: (run, exit) => {
      const lives = of(run);
      if (exit.endedAt >= (lives.exit?.endedAt ?? 0)) lives.exit = exit;
    },
    see: (seen, now) => {
      for (const [run, lives] of byRun) change(run, lives, seeLives(lives.known, seen, now));
    },
    killed: (more) => {
      kills = [...kills, ...more].slice(-KILLS_KEPT);
    },
    onGpus: (run, pids) => {
      of(run).onGpus = pids;
    },
    writes: (run) => {
      const lives = of(run);
      change(
        run,
        lives,
        lives.known.filter(({ goneAt }) => goneAt === null),
      );
      if (lives.presence.status === 'gone') lives.onGpus = [];
    },
    facts: (run, now) => {
      const lives = of(run);
      const known = presenceOf(lives.known);
      lives.presence =
        known.status === 'unknown' ? presenceOnGpus(lives.onGpus, gpus.processes(), lives.presence, now) : known;
      return { process: lives.presence, exit: lives.exit, kernelKill: killOf(lives.known, kills) };
    },
    knownOf: (run) => byRun.get(run)?.known ?? [],
    withoutProcess: (runs) => runs.filter(({ id }) => presenceOf(byRun.get(id)?.known ?? []).status === 'unknown'),
    pidsOf: (runs) => [...new Set(runs.flatMap(({ id }) => pidsToWatch(byRun.get(id)?.known ?? [])))],
    forget: (run) => {
      byRun.delete(run);
    },
  };
};

/** What of processes is worth a write: not that they were seen alive once more. */
const inShort = (known: readonly KnownProcess[]): string =>
  known
    .map(({ pid, recorded, sure, seenAliveAt, goneAt }) => [pid, recorded, sure, seenAliveAt !== null, goneAt].join())
    .join(' ');
