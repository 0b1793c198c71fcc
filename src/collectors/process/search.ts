import { setImmediate as breathe } from 'node:timers/promises';
import { beganWith } from '../../core/attribution-facts.ts';
import type { ObservedCandidate } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Collector } from '../../core/ports.ts';
import { processStartOf } from '../../core/process-start.ts';
import { kindOfCommand } from '../../core/run-command.ts';
import { type ProcessSources, readProcess, writtenFoldersOf } from './facts.ts';
import { namesIfAllowed, textIfAllowed } from './files.ts';

/** A run whose process is looked for. */
export type SoughtRun = {
  readonly path: string;
  /** When its newest attempt began, as far as its files say. */
  readonly startedAt: number | null;
};

export type ProcessSearchOptions = ProcessSources & {
  /** The active runs that have no known process. */
  readonly runs: () => readonly SoughtRun[];
  readonly clock: Clock;
};

const LOOK_EVERY_MS = 1000;
const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 60_000;
/** So many processes are asked in one go, a few ms, before others have their turn. */
const AT_ONCE = 256;

type Search = { readonly startedAt: number | null; readonly waitMs: number; readonly nextAt: number };

/**
 * Looks through /proc for processes that may train runs of which none is known: of a process that began when no such run
 * did it reads one small file, of one that may be a training all that {@link matchCandidates} judges by. What is reported
 * is Python that says `train` or has PyTorch loaded. A run is searched for at once, then ever less often, up to every 60 s;
 * a new attempt starts that over.
 */
export const createProcessSearch = ({ procfs, passwd, runs, clock }: ProcessSearchOptions): Collector => {
  let searches: ReadonlyMap<string, Search> = new Map();

  /** The runs whose time has come. */
  const due = (): readonly SoughtRun[] => {
    const now = clock.now();
    const next = new Map<string, Search>();
    const result = runs().filter(({ path, startedAt }) => {
      const before = searches.get(path);
      const known = before?.startedAt === startedAt ? before : undefined;
      if (known !== undefined && now < known.nextAt) {
        next.set(path, known);
        return false;
      }
      const waitMs = known === undefined ? FIRST_WAIT_MS : Math.min(2 * known.waitMs, LONGEST_WAIT_MS);
      next.set(path, { startedAt, waitMs, nextAt: now + waitMs });
      return startedAt !== null;
    });
    searches = next;
    return result;
  };

  const candidateOf = (pid: number): ObservedCandidate | null => {
    const kind = kindOfCommand(textIfAllowed(`${procfs}/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? null);
    if (kind === 'other' || (kind === 'python' && !hasTorch(procfs, pid))) return null;
    return { pid, ...readProcess(pid, { procfs, passwd }), openFolders: writtenFoldersOf(pid, procfs) };
  };

  return {
    name: 'process-search',
    when: { everyMs: LOOK_EVERY_MS },
    timeoutMs: 30_000,
    collect: async () => {
      const sought = due();
      const systemStat = sought.length === 0 ? null : textIfAllowed(`${procfs}/stat`);
      if (systemStat === null) return {};
      const candidates: ObservedCandidate[] = [];
      for (const [i, pid] of pidsIn(procfs).entries()) {
        if (i % AT_ONCE === AT_ONCE - 1) await breathe();
        const startedAt = processStartOf(textIfAllowed(`${procfs}/${pid}/stat`), systemStat);
        if (startedAt === null || !sought.some((run) => beganWith(startedAt, run.startedAt))) continue;
        const candidate = candidateOf(pid);
        if (candidate !== null) candidates.push(candidate);
      }
      return { candidates };
    },
  };
};

const pidsIn = (procfs: string): readonly number[] =>
  (namesIfAllowed(procfs) ?? []).filter((name) => /^\d+$/.test(name)).map(Number);

const hasTorch = (procfs: string, pid: number): boolean =>
  /\/libtorch[\w.-]*\.so/.test(textIfAllowed(`${procfs}/${pid}/maps`) ?? '');
