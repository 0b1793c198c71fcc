import { processStartOf } from '../../core/process-start.ts';
import { type ProcessFacts, type ProcessSources, readProcess } from '../process/facts.ts';
import { textIfAllowed } from '../process/files.ts';

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
  let known = new Map<number, { readonly readAt: number; readonly facts: ProcessFacts }>();
  return (pids) => {
    const systemStat = textIfAllowed(`${sources.procfs}/stat`);
    const next: typeof known = new Map();
    for (const pid of new Set(pids)) {
      const startedAt = processStartOf(textIfAllowed(`${sources.procfs}/${pid}/stat`), systemStat);
      const before = known.get(pid);
      const isSame = before?.facts.startedAt === startedAt && now() - before.readAt < READ_AGAIN_MS;
      next.set(pid, before && isSame ? before : { readAt: now(), facts: readProcess(pid, sources) });
    }
    known = next;
    return new Map([...next].map(([pid, { facts }]) => [pid, facts]));
  };
};
