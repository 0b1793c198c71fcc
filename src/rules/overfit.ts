import { kendallZ, median, theilSen } from '../core/statistics.ts';
import { accuracy, strictAccuracy, trainTotal, valTotal } from './losses.ts';
import { noiseOf } from './noise.ts';
import { OVERFIT_PARAMETERS, type OverfitLimits } from './overfit-parameters.ts';
import { defineRule, type EpochInput, type Verdict } from './rule.ts';
import { plannedEpochs, transitionFreeRows } from './transitions.ts';
import { percent, significant } from './wording.ts';

/** What one row says: sums of losses, and mAP50-95 (null where it is not written). */
type Point = { readonly train: number; readonly val: number; readonly map: number | null };

type State = {
  /** The last rows, oldest first. */
  recent: Point[];
  /** Validation losses that the smoothed one is the median of; begins anew at a transition. */
  smoothing: number[];
  /** The lowest smoothed validation loss, and the epoch with the best mAP50. */
  best: { readonly val: number; readonly epoch: number } | null;
  bestMap: { readonly value: number; readonly epoch: number } | null;
  /** Breaches in a row, and the largest rise that was told of. */
  begun: number;
  peak: number;
};

const RECENT_ROWS = 25;
const SMOOTHING_ROWS = 7;
const LEAST_SMOOTHING_ROWS = 5;
const NOISE_AT_FIRST = 0.03;
/** A rise that has begun so often need only hold this share of its threshold. */
const BEGUN_ROWS = 2;
const HELD_SHARE = 0.8;
/** Rows after a transition that say nothing of a trend. */
const QUIET_ROWS = 5;

/**
 * The validation loss climbs while the training loss does not, and mAP gains nothing by it. Medians, because real
 * validation losses come in bursts. A validation loss that drifts up while mAP still improves is common and only noted.
 */
export const overfit = defineRule({
  id: 'overfit',
  title: 'Overfitting',
  description:
    'The smoothed validation loss rises above its own best, steadily, while the training loss does not and mAP50-95 gains nothing. While mAP still improves it is a note.',
  severity: ['info', 'warning'],
  subject: 'run',
  needs: ['epochs'],
  parameters: OVERFIT_PARAMETERS,
  tracks: {
    overfit: { hold: { evaluations: 4 }, keepFiring: { evaluations: 5 }, cooldown: { evaluations: 10 } },
    drift: { hold: { evaluations: 4 }, keepFiring: { evaluations: 5 }, cooldown: { evaluations: 10 } },
  },
  init: (): State => ({ recent: [], smoothing: [], best: null, bestMap: null, begun: 0, peak: 0 }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    const train = trainTotal(input.row);
    const val = valTotal(input.row);
    if (train === null || val === null) {
      const missing: Verdict = { kind: 'no-data', missing: [train === null ? 'training loss' : 'validation loss'] };
      return [state, { overfit: missing, drift: missing }];
    }
    take(state, input, { train, val, map: strictAccuracy(input.row) });
    return [state, judge(state, input, limits)];
  },
});

const take = (state: State, input: EpochInput, point: Point): void => {
  state.recent.push(point);
  if (state.recent.length > RECENT_ROWS) state.recent.shift();
  if (input.transition !== null) {
    state.smoothing = [];
    state.best = null;
  }
  state.smoothing.push(point.val);
  if (state.smoothing.length > SMOOTHING_ROWS) state.smoothing.shift();
  const map = accuracy(input.row);
  if (map !== null && (state.bestMap === null || map > state.bestMap.value)) {
    state.bestMap = { value: map, epoch: input.row.epoch };
  }
};

const judge = (state: State, input: EpochInput, limits: OverfitLimits) => {
  const none = { overfit: { kind: 'between' }, drift: { kind: 'between' } } as const;
  if (state.smoothing.length < LEAST_SMOOTHING_ROWS) return none;
  const smoothed = median(state.smoothing);
  if (input.index > limits.settledRows && (state.best === null || smoothed < state.best.val)) {
    state.best = { val: smoothed, epoch: input.row.epoch };
  }
  if (state.best === null || state.recent.length < limits.trendRows) return none;
  const noise = noiseOf(state.recent.map(({ val }) => Math.log(val))) ?? NOISE_AT_FIRST;
  const trend = trendOf(state.recent.slice(-limits.trendRows));
  const rise = smoothed / state.best.val - 1;
  const threshold = Math.max(limits.minimumRise, limits.sigmas * noise);
  const again = state.peak > 0 ? state.peak + limits.againRise : 0;
  const starts =
    rise > Math.max(threshold, again) &&
    trend.val > limits.trendZ &&
    trend.train < limits.trainZ &&
    transitionFreeRows(input) > QUIET_ROWS;
  const holds = state.begun >= BEGUN_ROWS && rise > HELD_SHARE * threshold;
  const isRising = starts || holds;
  const improves = trend.map !== null && trend.map >= limits.mapGain;
  state.begun = isRising && !improves ? state.begun + 1 : 0;

  if (rise < limits.minimumRise / 2) {
    const clear = { kind: 'clear', result: `back at ${significant(smoothed)} at epoch ${input.row.epoch}` } as const;
    return { overfit: clear, drift: clear };
  }
  if (!isRising) return none;
  if (improves) return { ...none, drift: breach(state, input, { smoothed, rise, threshold, trend }, 'info') };
  const verdict = breach(state, input, { smoothed, rise, threshold, trend }, 'warning');
  const hold = Math.max(4, Math.floor(limits.holdShare * (plannedEpochs(input.run) ?? 100)));
  if (state.begun >= hold) state.peak = Math.max(state.peak, rise);
  return { ...none, overfit: { ...verdict, hold: { evaluations: hold } } };
};

/** z of the trend of both losses, and what mAP50-95 gained over the rows; null: it is not known in all of them. */
type Trend = { readonly val: number; readonly train: number; readonly map: number | null };

const trendOf = (rows: readonly Point[]): Trend => {
  const maps = rows.flatMap(({ map }) => map ?? []);
  return {
    val: kendallZ(rows.map(({ val }) => val)),
    train: kendallZ(rows.map(({ train }) => train)),
    map: maps.length < rows.length ? null : theilSen([...maps.keys()], maps).slope * maps.length,
  };
};

type Rise = { readonly smoothed: number; readonly rise: number; readonly threshold: number; readonly trend: Trend };

const breach = (
  { best, bestMap }: State,
  input: EpochInput,
  { smoothed, rise, threshold, trend }: Rise,
  severity: 'info' | 'warning',
) => {
  const { epoch } = input.row;
  const since = best?.epoch ?? epoch;
  const stopAt = bestMap?.epoch ?? since;
  const map = accuracy(input.row);
  return {
    kind: 'breach',
    severity,
    title: severity === 'info' ? 'Validation loss drifts up' : 'Overfitting',
    problem:
      `The validation loss is ${percent(rise)} above its best of epoch ${since} and rises steadily` +
      (severity === 'info'
        ? ', while mAP50-95 still improves.'
        : `, while the training loss does not and mAP50-95 gains nothing; the best epoch so far is ${stopAt}.`),
    evidence: [
      {
        name: 'validation loss, median of 7',
        value: significant(smoothed, 5),
        unit: '',
        expected: best && significant(best.val, 5),
      },
      {
        name: 'rise above its best',
        value: significant(100 * rise),
        unit: '%',
        expected: `below ${percent(threshold)}`,
      },
      { name: 'trend of the validation loss', value: significant(trend.val), unit: 'z', expected: 'below 2.2' },
      { name: 'trend of the training loss', value: significant(trend.train), unit: 'z' },
      { name: 'gain of mAP50-95', value: trend.map === null ? null : significant(trend.map), unit: '' },
      {
        name: 'mAP50',
        value: map === null ? null : significant(map),
        unit: '',
        expected: bestMap && significant(bestMap.value),
      },
    ],
    cause: {
      code: severity === 'info' ? 'confidence_drift' : 'overfitting',
      text:
        severity === 'info'
          ? 'Scores grow too sure of themselves while boxes still get better: common in detection, and harmless as long as mAP improves.'
          : 'The model learns the training images by heart: too few of them, too little augmentation, or a model too large for them.',
      confidence: severity === 'info' ? 0.6 : 0.7,
      signals: ['validation loss rises', 'training loss does not rise'],
      missing: ['number of training images', ...(trend.map === null ? ['mAP50-95'] : [])],
    },
    fix:
      severity === 'info'
        ? ['Nothing yet: judge the run by mAP50-95.']
        : [
            `Stop, or let patience do it, and use the weights of epoch ${stopAt} (best.pt).`,
            'Train with more images or stronger augmentation (mosaic, mixup, copy_paste).',
            'Raise weight_decay, or take a smaller model.',
          ],
    epochs: [since, epoch],
  } as const satisfies Verdict;
};
