import type { ObservedExit, ObservedLaunch, ObservedOutput } from '../../core/batch.ts';
import type { Log } from '../../core/log.ts';
import type { Batch, Collector } from '../../core/ports.ts';
import { createSharedLog, type SharedLog } from '../log/shared.ts';
import type { Launch } from './folder.ts';
import { listLaunches, pruneLaunches } from './launches.ts';

const EVERY_MS = 1000;
const TIMEOUT_MS = 30_000;
/** Launches that have ended are kept as long as they are among the newest so many. */
const KEEP = 200;
const LOOKS_PER_PRUNING = 600;
/** The last line of a console may lack its end: it is taken when nothing followed it for a while. */
const LAST_WORDS_MS = 10_000;
/** A run that a launch made is found by then; a launch that made none is no training that is watched. */
const CLAIMED_WITHIN_MS = 10 * 60_000;

type Options = {
  /** The folder in which `signalbox run` keeps its launches; need not exist. */
  readonly folder: string;
  /** This machine: pids of another one say nothing here. */
  readonly host: string;
  /** The run folder that the console of a training, working in `cwd`, calls `folder`; null: not known yet. */
  readonly runOf: (folder: string, cwd: string) => string | null;
  readonly now: () => number;
  readonly log: Log;
};

/** One launch while it is followed: until it has ended and all of its console was taken. */
type Followed = { readonly console: SharedLog; readonly paths: Set<string>; isDone: boolean };

/** Ties the trainings that `signalbox run` started to their runs: what their console says, their process, their exit. */
export const createLaunchCollector = ({ folder, host, runOf, now, log }: Options): Collector => {
  const followed = new Map<string, Followed>();
  const failing = new Set<string>();
  /** Runs that were there before us are found from now on. */
  const beganAt = now();
  let looks = 0;

  const follow = (launch: Launch): Followed => {
    const known = followed.get(launch.id);
    if (known !== undefined) return known;
    const console = createSharedLog({
      path: launch.consolePath,
      runOf: (named) => runOf(named, launch.cwd),
      now,
    });
    const fresh = { console, paths: new Set<string>(), isDone: false };
    followed.set(launch.id, fresh);
    return fresh;
  };

  const lookAt = async (launch: Launch, signal: AbortSignal): Promise<LaunchLook> => {
    const entry = follow(launch);
    const { outputs, hasMore } = await entry.console.look(signal);
    for (const { path } of outputs) entry.paths.add(path);
    const waitMs = entry.paths.size > 0 ? LAST_WORDS_MS : CLAIMED_WITHIN_MS;
    const waitedMs = now() - Math.max(launch.exit?.endedAt ?? 0, beganAt);
    entry.isDone = launch.exit !== null && outputs.length === 0 && !hasMore && waitedMs >= waitMs;
    return { outputs, hasMore, ...processOf(launch, [...entry.paths], host) };
  };

  return {
    name: 'launches',
    when: { everyMs: EVERY_MS },
    timeoutMs: TIMEOUT_MS,
    collect: async (signal) => {
      if (looks % LOOKS_PER_PRUNING === 0) await pruneLaunches(folder, KEEP);
      looks += 1;
      const batches: LaunchLook[] = [];
      for (const launch of await listLaunches(folder, (id) => followed.get(id)?.isDone !== true)) {
        try {
          batches.push(await lookAt(launch, signal));
          failing.delete(launch.id);
        } catch (err) {
          signal.throwIfAborted();
          if (!failing.has(launch.id)) log.warn({ launch: launch.id, err }, 'a launch cannot be read');
          failing.add(launch.id);
        }
      }
      return merge(batches);
    },
    startOver: () => {
      for (const entry of followed.values()) {
        entry.console.startOver();
        entry.isDone = false;
      }
    },
  };
};

type LaunchLook = Required<Pick<Batch, 'outputs' | 'launches' | 'exits'>> & { readonly hasMore: boolean };

/** The process and the exit of a launch belong to each run that its console names; the exit to the last one. */
const processOf = (
  { pid, processStartedAt, exit, host }: Launch,
  paths: readonly string[],
  ourHost: string,
): { readonly launches: readonly ObservedLaunch[]; readonly exits: readonly ObservedExit[] } => {
  const last = paths.at(-1);
  if (pid === null || last === undefined || host !== ourHost) return { launches: [], exits: [] };
  return {
    launches: processStartedAt === null ? [] : [{ path: last, pid, startedAt: processStartedAt }],
    exits: exit === null ? [] : [{ path: last, pid, ...exit }],
  };
};

/** Without the parts that are empty. */
const merge = (batches: readonly LaunchLook[]): Batch => {
  const outputs = batches.flatMap((batch): readonly ObservedOutput[] => batch.outputs);
  const launches = batches.flatMap((batch) => batch.launches);
  const exits = batches.flatMap((batch) => batch.exits);
  return {
    ...(outputs.length > 0 && { outputs }),
    ...(launches.length > 0 && { launches }),
    ...(exits.length > 0 && { exits }),
    ...(batches.some(({ hasMore }) => hasMore) && { hasMore: true }),
  };
};
