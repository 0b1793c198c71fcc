import { readdirSync, readFileSync } from 'node:fs';

/** The pids of a process's own children that are alive, zombies left out. Linux only. */
export const childrenOf = (parent: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const [state, ppid] = statOf(name);
      return state !== 'Z' && Number(ppid) === parent ? [Number(name)] : [];
    });

/** The fields of /proc/PID/stat from the state on, behind the name, which may hold anything; none for who is gone. */
const statOf = (pid: string): readonly string[] => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
};
