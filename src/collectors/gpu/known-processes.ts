import { type ProcessFacts, type ProcessSources, readProcess } from '../process/facts.ts';
import { textIfAllowed } from '../process/files.ts';
import { parseStat } from '../process/stat.ts';

/** What a process has open and where it works may change; who it is does not. */
const READ_AGAIN_MS = 5000;

/**
 * Reads the facts of processes that are looked at every second: a process that is the same, by pid and start, is read
 * again after five seconds only. Takes all pids of a look and forgets the others.
 */
export const createKnownProcesses = (
  sources: ProcessSources,
  now: () => number,
): ((pids: readonly number[]) => ReadonlyMap<number, ProcessFacts>) => {
  type Known = { readonly readAt: number; readonly startTicks: number | undefined; readonly facts: ProcessFacts };
  let known = new Map<number, Known>();
  return (pids) => {
    const next: typeof known = new Map();
    for (const pid of new Set(pids)) {
      const startTicks = parseStat(textIfAllowed(`${sources.procfs}/${pid}/stat`))?.startTicks;
      const before = known.get(pid);
      const isSame = before !== undefined && before.startTicks === startTicks && now() - before.readAt < READ_AGAIN_MS;
      next.set(pid, isSame ? before : { readAt: now(), startTicks, facts: readProcess(pid, sources) });
    }
    known = next;
    return new Map([...next].map(([pid, { facts }]) => [pid, facts]));
  };
};
