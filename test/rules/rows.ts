import type { EpochRow, NonFinite } from '../../src/core/run.ts';
import type { AnyRule, EpochInput, RunContext, Verdict } from '../../src/rules/rule.ts';
import { type Course, follow } from '../../src/rules/transitions.ts';

/** When the tests' runs begin; an epoch takes a minute. */
export const START_AT = 1_757_400_000_000;

/** A run of 100 epochs in Ultralytics' own terms. */
export const run: RunContext = {
  id: 'r1',
  name: 'train',
  epochsPlanned: 100,
  epochBase: 1,
  args: { epochs: 100, close_mosaic: 10, warmup_epochs: 3 },
};

/** What a row says beside its epoch; the rest is the course of an ordinary training. */
export type Told = {
  attempt?: number;
  /** Factor on the training loss. */
  loss?: number;
  /** Factor on the validation loss. */
  val?: number;
  map?: number | null;
  /** mAP50-95; it stands still unless told otherwise. */
  strict?: number;
  /** Seconds since the start of the attempt. */
  elapsedS?: number | null;
  lr?: number;
  nonFinite?: Record<string, NonFinite>;
};

/** One row of a training that follows a power law, with a touch of fixed noise. */
export const rowAt = (
  epoch: number,
  { attempt = 1, loss = 1, val = 1, strict = 0.5, map, lr = 0.01, elapsedS = epoch * 60, nonFinite }: Told = {},
): EpochRow => {
  const level = (1 + 2 * epoch ** -0.4) * (1 + 0.004 * Math.sin(epoch * 12.9898)) * loss;
  const metrics: Record<string, number | null> = {
    'train/box_loss': 0.6 * level,
    'train/cls_loss': 0.4 * level,
    'metrics/mAP50(B)': map === undefined ? 0.8 * (1 - Math.exp(-epoch / 12)) : map,
    'metrics/mAP50-95(B)': strict,
    'val/box_loss': (level / loss) * val,
    'lr/pg0': lr,
  };
  for (const name of Object.keys(nonFinite ?? {})) metrics[name] = null;
  return {
    attempt,
    epoch,
    at: START_AT + epoch * 60_000,
    atSource: 'mtime',
    elapsedS,
    runElapsedS: elapsedS,
    metrics,
    ...(nonFinite && { nonFinite }),
  };
};

/** Rows of epochs `first` to `last`; `tell` says what is not ordinary about some. */
export const rowsOf = (first: number, last: number, tell: (epoch: number) => Told = () => ({})): EpochRow[] =>
  Array.from({ length: last - first + 1 }, (_, i) => rowAt(first + i, tell(first + i)));

/** What a rule says of each row, on one of its tracks. */
export const verdictsOf = (
  rule: AnyRule,
  track: string,
  rows: readonly EpochRow[],
  context: RunContext = run,
): (Verdict | undefined)[] => {
  let course: Course | null = null;
  let state = rule.init();
  const parameters = Object.fromEntries(
    Object.entries(rule.parameters).map(([name, { default: value }]) => [name, value]),
  );
  return rows.map((row) => {
    const step = follow(course, row, context);
    if (!step) return undefined;
    course = step.course;
    const input: EpochInput = { kind: 'epoch', at: row.at ?? START_AT, row, run: context, ...step.seen };
    const [next, verdicts] = rule.step(state, input, parameters);
    state = next;
    return verdicts[track];
  });
};

/** Only the breaches among {@link verdictsOf}. */
export const breachesOf = (...asked: Parameters<typeof verdictsOf>) =>
  verdictsOf(...asked).flatMap((verdict) => (verdict?.kind === 'breach' ? [verdict] : []));

/** A verdict that must be a breach. */
export const breachOf = (verdict: Verdict | undefined): Extract<Verdict, { kind: 'breach' }> => {
  if (verdict?.kind !== 'breach') throw new Error(`expected a breach, found ${verdict?.kind}`);
  return verdict;
};

/** Repeatable random numbers from 0 to 1 (mulberry32). */
export const randomOf = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
};
