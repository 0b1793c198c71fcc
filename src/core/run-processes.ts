import type { ProcessMatch } from './attribution.ts';
import type { ObservedKernelKill, ObservedLife, ObservedProcess } from './batch.ts';
import type { ProcessPresence } from './run-facts.ts';
import type { StartEvent } from './trace.ts';

/**
 * A process that is said to do a run's work, and what was seen of it. Plain JSON, so that it can be kept. Moments are
 * milliseconds.
 */
export type KnownProcess = {
  readonly pid: number;
  /** Between these two moments the process of this pid began, by who told of it; another one is another process. */
  readonly beganFrom: number;
  readonly beganTo: number;
  /** It certainly ran on this host: it is gone when it is missed, even if nobody ever saw it alive. */
  readonly recorded: boolean;
  /** Sure enough that the run ends with it; false: its end says nothing. */
  readonly sure: boolean;
  /** How sure it is that it is the run's, 0 to 1; absent where it was kept before that was known. */
  readonly confidence?: number;
  /** When it was last seen alive, and its state (R, S, D, T …) with the moment since when it was seen in it. */
  readonly seenAliveAt: number | null;
  readonly state: string | null;
  readonly stateSince: number | null;
  readonly goneAt: number | null;
};

/** Moments of one start by two clocks of /proc differ by the rounding of the boot time to whole seconds. */
const SAME_START_MS = 2000;
/** Below this confidence (see attribution.ts) the end of a matched process says nothing of the run. */
const SURE = 0.6;
/** A start event comes when the trainer is built: seconds to minutes after the process began; its clock may be off. */
const BUILT_WITHIN_MS = 30 * 60_000;
const CLOCK_SLACK_MS = 60_000;
/** The kernel names a victim, then the process unwinds: it is missed a look or a slow exit later. */
const UNWINDS_WITHIN_MS = 30_000;

/** A process that `signalbox run` started on this host; `startedAt` as /proc says it. */
export const launchedProcess = (pid: number, startedAt: number): KnownProcess => ({
  ...unseen(pid, startedAt - SAME_START_MS, startedAt + SAME_START_MS),
  recorded: true,
});

/** A process of this host that attribution matched to the run; null where /proc does not show when it began. */
export const matchedProcess = (pid: number, { startedAt, confidence }: ProcessMatch): KnownProcess | null =>
  startedAt === null ? null : { ...launchedProcess(pid, startedAt), sure: confidence >= SURE, confidence };

/**
 * The process that a start event of the run names; null where it cannot be one of this host. A container often has the
 * host's name and never its pids, so the process must have begun shortly before it said so, and it counts only once it
 * was seen alive.
 */
export const saidProcess = ({ pid, host, t }: StartEvent, ourHost: string): KnownProcess | null =>
  pid === undefined || t === null || (host !== undefined && host !== ourHost)
    ? null
    : unseen(pid, t - BUILT_WITHIN_MS, t + CLOCK_SLACK_MS);

const unseen = (pid: number, beganFrom: number, beganTo: number): KnownProcess => ({
  pid,
  beganFrom,
  beganTo,
  recorded: false,
  sure: true,
  confidence: 1,
  seenAliveAt: null,
  state: null,
  stateSince: null,
  goneAt: null,
});

/** Adds a process, unless it is known: whoever else tells of it only makes it surer. */
export const meet = (known: readonly KnownProcess[], process: KnownProcess): readonly KnownProcess[] => {
  const same = known.find((other) => isSame(other, process));
  if (same === undefined) return [...known, process];
  const surer = {
    ...same,
    sure: same.sure || process.sure,
    recorded: same.recorded || process.recorded,
    confidence: Math.max(same.confidence ?? 0, process.confidence ?? 0),
  };
  return known.map((other) => (other === same ? surer : other));
};

/** Lets go of a process that does another run's work now. */
export const part = (known: readonly KnownProcess[], process: KnownProcess): readonly KnownProcess[] =>
  known.filter((other) => !isSame(other, process));

/** In a container every attempt may have the same pid: what can have begun after the known one was gone is another. */
const isSame = (known: KnownProcess, told: KnownProcess): boolean =>
  known.pid === told.pid &&
  known.beganFrom <= told.beganTo &&
  told.beganFrom <= known.beganTo &&
  (known.goneAt === null || told.beganTo <= known.goneAt + SAME_START_MS);

/** The pids to ask /proc for: of those that are not known to be gone. */
export const pidsToWatch = (known: readonly KnownProcess[]): readonly number[] =>
  known.filter(({ goneAt }) => goneAt === null).map(({ pid }) => pid);

/** What a look at /proc tells of the known processes; pids that it does not mention stay as they were. */
export const seeLives = (
  known: readonly KnownProcess[],
  lives: readonly ObservedLife[],
  now: number,
): readonly KnownProcess[] => {
  const byPid = new Map(lives.map((life) => [life.pid, life]));
  return known.map((process) => {
    const life = byPid.get(process.pid);
    return life === undefined || process.goneAt !== null ? process : seeLife(process, life, now);
  });
};

const seeLife = (process: KnownProcess, { startedAt, state }: ObservedLife, now: number): KnownProcess => {
  const lives = state !== null && !isDead(state);
  if (!lives || startedAt === null || startedAt < process.beganFrom || startedAt > process.beganTo) {
    return process.recorded || process.seenAliveAt !== null ? { ...process, goneAt: now } : process;
  }
  return {
    ...process,
    // From now on only this very process is it.
    beganFrom: Math.max(process.beganFrom, startedAt - SAME_START_MS),
    beganTo: Math.min(process.beganTo, startedAt + SAME_START_MS),
    seenAliveAt: now,
    state,
    stateSince: state === process.state ? process.stateSince : now,
  };
};

/** Z: ended, and its parent has not asked how; X: ending. See proc(5). */
const isDead = (state: string): boolean => /^[ZXx]/.test(state);

/** Alive when one process is, gone when all that are sure are gone. Those that nobody has seen alive say nothing. */
export const presenceOf = (known: readonly KnownProcess[]): ProcessPresence => {
  const alive = known.filter(({ seenAliveAt, goneAt }) => seenAliveAt !== null && goneAt === null);
  const [first] = alive;
  if (first !== undefined) {
    return { status: 'alive', pids: alive.map(({ pid }) => pid), state: first.state, stateSince: first.stateSince };
  }
  const gone = known.filter(({ sure, goneAt }) => sure && goneAt !== null);
  const last = gone.reduce<KnownProcess | null>((a, b) => ((a?.goneAt ?? 0) > (b.goneAt ?? 0) ? a : b), null);
  if (last === null || last.goneAt === null) return { status: 'unknown' };
  return { status: 'gone', pids: gone.map(({ pid }) => pid), goneAt: last.goneAt, seenAliveAt: last.seenAliveAt };
};

/**
 * For processes that /proc does not show (no permission, hidden pids) the driver's list of GPU processes is all there is:
 * alive while listed. `before`: the presence until now. `listed` is null where the list cannot be known now.
 */
export const presenceOnGpus = (
  pids: readonly number[],
  listed: readonly ObservedProcess[] | null,
  before: ProcessPresence,
  now: number,
): ProcessPresence => {
  if (pids.length === 0 || listed === null) return { status: 'unknown' };
  const alive = pids.filter((pid) => listed.some((process) => process.pid === pid));
  if (alive.length > 0) return { status: 'alive', pids: alive, state: null, stateSince: null };
  return before.status === 'gone' ? before : { status: 'gone', pids, goneAt: now, seenAliveAt: null };
};

/**
 * The kernel's kill of one of these processes. In a container the kernel log may speak of other pids than ours; so the
 * pid must fit, and the moment must be the one at which that process was missed.
 */
export const killOf = (
  known: readonly KnownProcess[],
  kills: readonly ObservedKernelKill[],
): ObservedKernelKill | null =>
  kills.find(({ pid, at }) =>
    known.some(
      (process) =>
        process.pid === pid &&
        at >= process.beganFrom &&
        process.goneAt !== null &&
        at <= process.goneAt + SAME_START_MS &&
        at >= (process.seenAliveAt ?? process.beganFrom) - UNWINDS_WITHIN_MS,
    ),
  ) ?? null;
