import type { RunProcess } from '../../core/run-process.ts';

/** What the role of a process is told by. */
export type RoleFacts = {
  readonly pid: number;
  readonly parent: number;
  /** See `ProcessStat`. */
  readonly name: string;
  /** As /proc/PID/cmdline has it, the words ended by NUL; null where it is not known. */
  readonly cmdline: string | null;
  /** RANK or LOCAL_RANK that it was started with. */
  readonly rank: string | null;
  /** It is known to do the run's work, by its pid. */
  readonly isKnown: boolean;
};

type Role = RunProcess['role'];

/** The name that PyTorch gives its dataloader workers, since 2.6 (torch/utils/data/_utils/worker.py). */
const WORKER_NAME = 'pt_data_worker';
/** Python's multiprocessing starts children of `spawn` with this word, and the server of `forkserver` with the other. */
const SPAWNED = '--multiprocessing-fork';
const FORK_SERVER = 'from multiprocessing.forkserver import main';

/**
 * What each process of a run does. Training: the first Python below a shell or a
 * launcher, the ranks of a distributed training, and what is known by its pid. Worker: a dataloader worker, which has the
 * name that PyTorch gives it; before PyTorch did that, it is told by being a copy of its training (`fork`), a copy of its
 * fork server (from Python 3.14), or started by `spawn`. The rest are helpers: shells, trackers, loggers, compilers.
 */
export const rolesOf = (processes: readonly RoleFacts[]): ReadonlyMap<number, Role> => {
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const namesWorkers = processes.some(({ name }) => name === WORKER_NAME);
  const roles = new Map<number, Role>();
  const parentOf = ({ parent }: RoleFacts) => byPid.get(parent);
  const isBelowPython = (process: RoleFacts): boolean => {
    let above = parentOf(process);
    for (let steps = 0; above !== undefined && steps < processes.length; steps++, above = parentOf(above)) {
      if (isPython(above)) return true;
    }
    return false;
  };
  const isLikeWorker = (process: RoleFacts, parent: RoleFacts): boolean => {
    if (process.cmdline === null) return false;
    if (process.cmdline === parent.cmdline && process.cmdline.includes(FORK_SERVER)) return true;
    return (process.cmdline === parent.cmdline || process.cmdline.includes(SPAWNED)) && roleOf(parent) === 'training';
  };
  const judge = (process: RoleFacts): Role => {
    if (process.name === WORKER_NAME) return 'worker';
    if (!isPython(process)) return 'helper';
    const parent = parentOf(process);
    if (process.isKnown || parent === undefined) return 'training';
    if (!namesWorkers && isLikeWorker(process, parent)) return 'worker';
    if (process.cmdline === parent.cmdline) return 'helper';
    return (process.rank !== null && process.rank !== parent.rank) || !isBelowPython(process) ? 'training' : 'helper';
  };
  const roleOf = (process: RoleFacts): Role => {
    const known = roles.get(process.pid);
    if (known !== undefined) return known;
    // Read one after the other, two processes may each seem to be the other's parent.
    roles.set(process.pid, 'helper');
    const role = judge(process);
    roles.set(process.pid, role);
    return role;
  };
  for (const process of processes) roleOf(process);
  return roles;
};

/** Where the command may not be read, PyTorch's name for a main thread tells the same. */
const isPython = ({ cmdline, name }: RoleFacts): boolean => {
  const program = cmdline?.split('\0')[0]?.split('/').at(-1) ?? '';
  return /^(python|pypy|ipython)[\d.]*$/.test(program) || (program === '' && /^(python|pt_main_thread)/.test(name));
};
