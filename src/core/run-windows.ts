import { bucketEdges } from './bucket-edges.ts';
import type { PhaseChange } from './output.ts';
import { intersection, type Range, union } from './range.ts';
import { type Attempt, type EpochRow, isActive, type Run } from './run.ts';

/** What the use of a run's GPUs is told by. */
export const RUN_GROUPINGS = ['run', 'attempt', 'epoch', 'phase', 'day'] as const;
export type RunGrouping = (typeof RUN_GROUPINGS)[number];

/** What the store knows of when a run did what. */
export type RunTimes = {
  readonly run: Pick<Run, 'id' | 'state' | 'startedAt' | 'endedAt'>;
  readonly attempts: readonly Pick<Attempt, 'attempt' | 'startedAt' | 'endedAt'>[];
  /** By attempt and epoch. */
  readonly rows: readonly Pick<EpochRow, 'attempt' | 'epoch' | 'at' | 'elapsedS'>[];
  /** Oldest first. */
  readonly phases: readonly PhaseChange[];
  readonly now: number;
};

/** A part of a run's time: what it is called, and the stretches that it is made of, which rise and do not overlap. */
export type RunWindow = {
  /** The run's id, the number of the attempt or of the epoch, the name of the phase, or the day as 2025-09-09. */
  readonly key: string | number;
  /** Of an epoch: one that was logged again stands in two attempts. */
  readonly attempt?: number;
  readonly ranges: readonly Range[];
};

/** The windows of a run, and by name (`epoch 3`, `phase`) why others cannot be told. */
export type RunWindows = { readonly windows: readonly RunWindow[]; readonly absent: Readonly<Record<string, string>> };

/** Which windows: only the part of each that lies in these epochs (both inclusive) and in this phase. */
export type WindowChoice = {
  readonly by: RunGrouping;
  /** Of days; IANA name. */
  readonly zone: string;
  readonly epochs?: { readonly first: number; readonly last: number } | undefined;
  readonly phase?: string | undefined;
};

const DAY_MS = 86_400_000;

/**
 * The parts of a run's time, as far as they are known; nothing is guessed.
 * - The run is its attempts, without the pauses between them; the newest attempt lasts until the run's end, or now.
 * - An epoch lasts from the end of the one before it to its own row; the first of an attempt begins with the attempt.
 * - A phase lasts until the next one begins, but training and validation no longer than to the row of their epoch.
 */
export const runWindows = (times: RunTimes, { by, zone, epochs, phase }: WindowChoice): RunWindows => {
  const absent: Record<string, string> = {};
  const attempts = attemptWindows(times, absent);
  const whole = union(attempts.flatMap(({ ranges }) => ranges));
  const ofEpochs = by === 'epoch' || epochs !== undefined ? epochWindows(times, attempts, absent) : [];
  const ofPhases = by === 'phase' || phase !== undefined ? phaseWindows(times, attempts, absent) : [];
  const groups = {
    run: () => (whole.length === 0 ? [] : [{ key: times.run.id, ranges: whole }]),
    attempt: () => attempts,
    epoch: () => ofEpochs,
    phase: () => ofPhases,
    day: () => dayWindows(whole, zone),
  } satisfies Record<RunGrouping, () => readonly RunWindow[]>;

  const parts: (readonly Range[])[] = [];
  if (epochs !== undefined) {
    const within = ofEpochs.filter(({ key }) => Number(key) >= epochs.first && Number(key) <= epochs.last);
    parts.push(union(within.flatMap(({ ranges }) => ranges)));
  }
  if (phase !== undefined) parts.push(ofPhases.find(({ key }) => key === phase)?.ranges ?? []);
  const windows = groups[by]().flatMap((window) => {
    const ranges = parts.reduce(intersection, window.ranges);
    return ranges.length === 0 ? [] : [{ ...window, ranges }];
  });
  return { windows, absent };
};

/** A run without a row has no attempt yet, but it has a first one all the same. */
const attemptWindows = ({ run, attempts, now }: RunTimes, absent: Record<string, string>): RunWindow[] => {
  const runEnd = isActive(run) ? now : run.endedAt;
  const known = attempts.length > 0 ? attempts : [{ attempt: 1, startedAt: null, endedAt: null }];
  let endOfLast = Number.NEGATIVE_INFINITY;
  return known.flatMap(({ attempt, startedAt, endedAt }, index) => {
    const begin = startedAt ?? (index === 0 ? run.startedAt : null);
    const end = index === known.length - 1 ? later(endedAt, runEnd) : endedAt;
    if (begin === null || end === null || end <= Math.max(begin, endOfLast)) {
      absent[`attempt ${attempt}`] = 'when it began and ended is not known';
      return [];
    }
    const from = Math.max(begin, endOfLast);
    endOfLast = end;
    return [{ key: attempt, ranges: [{ from, to: end }] }];
  });
};

const epochWindows = (
  { rows }: RunTimes,
  attempts: readonly RunWindow[],
  absent: Record<string, string>,
): RunWindow[] => {
  const begins = new Map(attempts.map(({ key, ranges }) => [key, ranges[0]?.from ?? null]));
  return rows.flatMap(({ attempt, epoch, at, elapsedS }, index) => {
    const before = rows[index - 1];
    const isFirst = before?.attempt !== attempt;
    const isNext = !isFirst && before.epoch === epoch - 1;
    const begin = isNext ? before.at : isFirst ? startOf(at, elapsedS, begins.get(attempt) ?? null) : null;
    if (begin !== null && at !== null && begin < at) {
      return [{ key: epoch, attempt, ranges: [{ from: begin, to: at }] }];
    }
    const why = at === null ? 'when its row was written is not known' : 'when the epoch before it ended is not known';
    absent[begins.size > 1 ? `epoch ${epoch} of attempt ${attempt}` : `epoch ${epoch}`] = why;
    return [];
  });
};

const startOf = (at: number | null, elapsedS: number | null, attemptBegin: number | null): number | null =>
  at !== null && elapsedS !== null ? at - Math.round(elapsedS * 1000) : attemptBegin;

const phaseWindows = (
  { rows, phases }: RunTimes,
  attempts: readonly RunWindow[],
  absent: Record<string, string>,
): RunWindow[] => {
  if (phases.length === 0) {
    absent.phase = 'nothing says when the run trained and when it validated; its sidecar would';
    return [];
  }
  const rowAt = new Map(rows.map(({ attempt, epoch, at }) => [`${attempt} ${epoch}`, at]));
  const whole = union(attempts.flatMap(({ ranges }) => ranges));
  const byPhase = new Map<string, Range[]>();
  for (const [index, { attempt, epoch, phase, at: from }] of phases.entries()) {
    const next = phases[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const row = phase === 'train' || phase === 'val' ? (rowAt.get(`${attempt} ${epoch}`) ?? next) : next;
    const ofAttempt = attempts.find(({ key }) => key === attempt)?.ranges ?? whole;
    // A row that was written before its phase began says nothing of the phase's end.
    const to = row > from ? Math.min(next, row) : next;
    const ranges = byPhase.get(phase) ?? [];
    ranges.push(...intersection(ofAttempt, [{ from, to }]));
    byPhase.set(phase, ranges);
  }
  return [...byPhase].map(([phase, ranges]) => ({ key: phase, ranges: union(ranges) }));
};

const dayWindows = (whole: readonly Range[], zone: string): RunWindow[] => {
  const [first, last] = [whole[0], whole.at(-1)];
  if (first === undefined || last === undefined) return [];
  const nameOf = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  const edges = bucketEdges({ from: first.from, to: last.to, stepMs: DAY_MS, zone });
  return edges.slice(0, -1).map((from, index) => ({
    key: nameOf.format(from),
    ranges: intersection(whole, [{ from, to: edges[index + 1] ?? from }]),
  }));
};

const later = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));
