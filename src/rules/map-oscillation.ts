import type { Cause, Evidence } from '../core/alert.ts';
import { median, sum } from '../core/statistics.ts';
import { accuracy, learningRate } from './losses.ts';
import { OSCILLATION_PARAMETERS, type OscillationLimits } from './oscillation-parameters.ts';
import { defineRule, type EpochInput, type Verdict } from './rule.ts';
import { clipped, type Sinusoid, sinusoidFitter, withoutTrend } from './sinusoid.ts';
import { addToSpread, NO_SPREAD, type Spread, spreadEvidence } from './spread.ts';
import { plannedEpochs, transitionFreeRows } from './transitions.ts';
import { epochRange, percent, significant } from './wording.ts';

/** mAP from one row to the next: the change, and where it started from. */
type Change = { readonly by: number; readonly from: number };

type State = {
  rows: number;
  /** The last rows, oldest first. */
  recent: { readonly epoch: number; readonly value: number }[];
  /** The last 12 changes, and the 40 ordinary ones before them. */
  changes: Change[];
  older: number[];
  lrPeak: number;
  spread: Spread;
};

/** The windows of (A), each with its limit of R². */
const WINDOWS = [
  { rows: 14, r2: 'r2Over14', fitSinusoid: sinusoidFitter(14) },
  { rows: 20, r2: 'r2Over20', fitSinusoid: sinusoidFitter(20) },
  { rows: 28, r2: 'r2Over28', fitSinusoid: sinusoidFitter(28) },
] as const;
const LONGEST_WINDOW = 28;
const CHANGES = 12;
const OLDER_CHANGES = 40;
/** Changes before these are the steep start of the curve. */
const STEEP_CHANGES = 8;
/** A change that starts at less mAP than this says nothing of the noise of a run that learns. */
const LEARNING_FROM = 0.02;
/** Changes smaller than this are taken for this: rounding makes them. */
const CHANGE_FLOOR = 0.0015;
const FULL_RATE = 0.3;

/**
 * mAP that swings: (A) a sinusoid of 2 to 6.5 epochs explains more of the detrended window than noise would,
 * in a window of 14, 20 or 28 rows; (B) the changes of the last 12 rows are far larger than those of the 40 before.
 */
export const mapOscillation = defineRule({
  id: 'map_oscillation',
  title: 'mAP oscillation',
  description: 'mAP50 swings from epoch to epoch: periodically, or far more than earlier in the same run.',
  severity: ['warning'],
  subject: 'run',
  needs: ['epochs'],
  parameters: OSCILLATION_PARAMETERS,
  tracks: { swing: { hold: { evaluations: 3 }, keepFiring: { evaluations: 6 }, cooldown: { evaluations: 10 } } },
  init: (): State => ({ rows: 0, recent: [], changes: [], older: [], lrPeak: 0, spread: NO_SPREAD }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    const value = accuracy(input.row);
    state.lrPeak = Math.max(state.lrPeak, learningRate(input.row) ?? 0);
    if (value === null) return [state, { swing: { kind: 'no-data', missing: ['mAP50'] } }];
    take(state, input.row.epoch, value);
    return [state, { swing: judge(state, input, limits) }];
  },
});

const take = (state: State, epoch: number, value: number): void => {
  const before = state.recent.at(-1);
  state.rows += 1;
  state.spread = addToSpread(state.spread, epoch, value);
  state.recent.push({ epoch, value });
  if (state.recent.length > LONGEST_WINDOW) state.recent.shift();
  if (!before) return;
  state.changes.push({ by: value - before.value, from: before.value });
  if (state.changes.length <= CHANGES) return;
  const left = state.changes.shift();
  const isOrdinary = left && left.from > LEARNING_FROM && state.rows - 1 - CHANGES > STEEP_CHANGES;
  if (isOrdinary) state.older.push(left.by);
  if (state.older.length > OLDER_CHANGES) state.older.shift();
};

const judge = (state: State, input: EpochInput, limits: OscillationLimits): Verdict => {
  const windows = judgeableWindows(state, input, limits);
  const excess = excessOf(state, input);
  if (windows.length === 0 && !excess) return { kind: 'between' };
  const periodic = bestFit(state, windows, limits);
  if (periodic) return periodicBreach(state, input, periodic, limits);
  if (excess && isExcessive(excess, limits)) return excessBreach(state, input, excess);
  return { kind: 'clear' };
};

type Window = (typeof WINDOWS)[number];
type Fit = Sinusoid & { readonly rows: number; readonly over: number };

const judgeableWindows = (state: State, input: EpochInput, limits: OscillationLimits): readonly Window[] => {
  const settled = Math.max(limits.settledRows, Math.floor(limits.settledShare * (plannedEpochs(input.run) ?? 100)));
  return WINDOWS.filter(({ rows }) => state.rows - settled >= rows && transitionFreeRows(input) >= 0.7 * rows);
};

const bestFit = (state: State, windows: readonly Window[], limits: OscillationLimits): Fit | null =>
  windows
    .map(({ rows, r2, fitSinusoid }): Fit => {
      const series = state.recent.slice(-rows).map(({ value }) => value);
      const fit = fitSinusoid(clipped(withoutTrend(series), 4));
      return { ...fit, rows, over: fit.r2 - limits[r2] };
    })
    .filter((fit) => fit.over > 0 && fit.amplitude >= limits.amplitude)
    .reduce<Fit | null>((best, fit) => (best && best.over >= fit.over ? best : fit), null);

/** How large the changes are now and were before; null where there are too few, or a transition is among them. */
type Excess = { readonly ratio: number; readonly now: number; readonly before: number; readonly drift: number };

const excessOf = ({ changes, older }: State, input: EpochInput): Excess | null => {
  if (older.length < CHANGES || transitionFreeRows(input) <= CHANGES + 2) return null;
  const recent = changes.map(({ by }) => by);
  const scale = Math.max(robustSize(older), CHANGE_FLOOR);
  const now = rms(recent);
  const before = Math.max(rms(older), CHANGE_FLOOR);
  const drift = Math.abs(sum(recent)) / sum(recent.map(Math.abs));
  return { ratio: Math.min(robustSize(recent), now) / scale, now, before, drift };
};

const isExcessive = ({ ratio, now, before, drift }: Excess, limits: OscillationLimits): boolean =>
  ratio > limits.excessRatio && now > limits.excessChange && now > 1.6 * before && drift < limits.excessDrift;

const robustSize = (changes: readonly number[]): number => 1.4826 * median(changes.map(Math.abs));
const rms = (changes: readonly number[]): number => Math.sqrt(sum(changes.map((by) => by * by)) / changes.length);

const periodicBreach = (state: State, input: EpochInput, fit: Fit, limits: OscillationLimits): Verdict => {
  const epochs = lastEpochs(state, fit.rows);
  return {
    kind: 'breach',
    severity: 'warning',
    title: 'mAP oscillates',
    problem:
      `mAP50 swings by ±${percent(fit.amplitude)} with a period of ${significant(fit.period, 2)} epochs ` +
      `in ${epochRange(epochs)}: a sinusoid explains ${percent(fit.r2)} of it, noise would ${percent(fit.r2 - fit.over)} at most.`,
    evidence: [
      {
        name: 'amplitude of mAP50',
        value: significant(fit.amplitude),
        unit: '',
        expected: `below ${limits.amplitude}`,
      },
      { name: 'period', value: significant(fit.period), unit: 'epochs' },
      { name: 'R²', value: significant(fit.r2), unit: '', expected: `below ${significant(fit.r2 - fit.over)}` },
      ...common(state, input),
    ],
    cause: causeOf(state, input),
    fix: FIX,
    epochs,
    hold: { evaluations: fit.over > limits.r2Clear ? 1 : 3 },
  };
};

const excessBreach = (state: State, input: EpochInput, { ratio, now, before }: Excess): Verdict => {
  const epochs = lastEpochs(state, CHANGES + 1);
  return {
    kind: 'breach',
    severity: 'warning',
    title: 'mAP became restless',
    problem:
      `mAP50 changes by ${percent(now)} from epoch to epoch in ${epochRange(epochs)}, ` +
      `${significant(ratio, 2)} times as much as the ${percent(before)} before.`,
    evidence: [
      { name: 'change of mAP50 per epoch', value: significant(now), unit: '', expected: significant(before) },
      { name: 'ratio to the past', value: significant(ratio), unit: '×' },
      ...common(state, input),
    ],
    cause: causeOf(state, input),
    fix: FIX,
    epochs,
  };
};

const lastEpochs = ({ recent }: State, rows: number): [number, number] => {
  const covered = recent.slice(-rows).map(({ epoch }) => epoch);
  return [Math.min(...covered), Math.max(...covered)];
};

const rateShare = (state: State, input: EpochInput): number | null => {
  const lr = learningRate(input.row);
  return lr === null || state.lrPeak <= 0 ? null : lr / state.lrPeak;
};

const common = (state: State, input: EpochInput): readonly Evidence[] => {
  const share = rateShare(state, input);
  return [
    { name: 'learning rate, of its peak', value: share === null ? null : significant(100 * share), unit: '%' },
    ...spreadEvidence(state.spread),
  ];
};

const causeOf = (state: State, input: EpochInput): Cause => {
  const share = rateShare(state, input);
  const missing = [
    'number of validation images',
    'whether weights are averaged (EMA)',
    ...(share === null ? ['learning rate'] : []),
  ];
  if (share !== null && share > FULL_RATE) {
    return {
      code: 'learning_rate',
      text: `The learning rate is still at ${percent(share)} of its peak: each epoch moves the weights far enough to show in mAP.`,
      confidence: 0.6,
      signals: [`learning rate at ${percent(share)} of its peak`],
      missing,
    };
  }
  return {
    code: 'validation_set',
    text: 'The learning rate is low already, so a small validation set, on which few boxes decide, is the likeliest reason.',
    confidence: 0.3,
    signals: share === null ? [] : [`learning rate at ${percent(share)} of its peak`],
    missing,
  };
};

const FIX = [
  'Judge the run by the mean of the last five epochs, not by a single one.',
  'Let the learning rate fall earlier: cos_lr=True, a lower lr0 or a lower lrf.',
  'Use a larger validation set, so that single boxes weigh less.',
  'Take heavy augmentation back (mosaic, mixup, copy_paste).',
];
