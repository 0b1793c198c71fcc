import type { ObservedLife } from '../../core/batch.ts';
import type { Collector } from '../../core/ports.ts';
import { processStartOf } from '../../core/process-start.ts';
import { textIfAllowed } from './files.ts';

export type ProcessWatchOptions = {
  readonly procfs: string;
  /** The processes to ask for at this moment. */
  readonly pids: () => readonly number[];
};

/**
 * Whether the processes of runs still live: one small read of /proc a process and second, without a process of our own.
 * Where there is no /proc nothing is said. The boot time that starts are reckoned from is read once: when the clock of
 * the machine is set, a start as /proc gives it moves, and every process would seem to be another.
 */
export const createProcessWatch = ({ procfs, pids }: ProcessWatchOptions): Collector => {
  let systemStat: string | null = null;

  const lifeOf = (pid: number): ObservedLife => {
    const stat = textIfAllowed(`${procfs}/${pid}/stat`);
    return { pid, startedAt: processStartOf(stat, systemStat), state: stateOf(stat) };
  };

  return {
    name: 'processes',
    when: { everyMs: 1000 },
    timeoutMs: 10_000,
    collect: async () => {
      const asked = [...new Set(pids())];
      if (asked.length === 0) return {};
      systemStat ??= textIfAllowed(`${procfs}/stat`);
      return systemStat === null ? {} : { lives: asked.map(lifeOf) };
    },
  };
};

/** The third field; the name before it stands in parentheses and may hold any character. */
const stateOf = (stat: string | null): string | null => stat?.[stat.lastIndexOf(')') + 2] ?? null;
