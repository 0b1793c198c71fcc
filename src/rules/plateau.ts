import { mad, median, theilSen } from '../core/statistics.ts';
import { accuracy, learningRate, trainTotal } from './losses.ts';
import { PLATEAU_PARAMETERS, type PlateauLimits } from './plateau-parameters.ts';
import { defineRule, type EpochInput, type Verdict } from './rule.ts';
import { plannedEpochs, transitionFreeRows } from './transitions.ts';
import { epochRange, percent, significant } from './wording.ts';

type Row = { readonly index: number; readonly epoch: number; readonly loss: number; readonly map: number | null };

type State = {
  /** The rows so far, oldest first, at most {@link KEPT_ROWS}. */
  rows: Row[];
  lrPeak: number;
  bestMap: number;
};

/** The longest window, and three times as many rows before it. */
const LONGEST_WINDOW = 120;
const KEPT_ROWS = 4 * LONGEST_WINDOW;
/** The power law is drawn through at most so many of the rows before the window. */
const LAW_ROWS = 30;
const LEAST_LAW_ROWS = 6;
/** Expected where nothing says what to expect: the least that a training at full rate gains. */
const GAIN_AT_FIRST = 0.02;
/** Standard error of a median against that of a mean; losses next to each other are not independent. */
const ERROR_OF_MEDIAN = 1.25 * 1.3;

/**
 * A training loss that stopped falling while the learning rate is still high, against what the run's own power law
 * leads one to expect; and a run that never began to learn. A flat curve at a low rate or near the end is no plateau.
 */
export const plateau = defineRule({
  id: 'plateau',
  title: 'Training stands still',
  description:
    "The training loss no longer falls, far less than the run's own course promised, with the learning rate still high and no gain in mAP50; or nothing was learned in the first epochs.",
  severity: ['warning'],
  subject: 'run',
  needs: ['epochs'],
  parameters: PLATEAU_PARAMETERS,
  tracks: { flat: { hold: { evaluations: 5 }, keepFiring: { evaluations: 6 }, cooldown: { evaluations: 25 } } },
  init: (): State => ({ rows: [], lrPeak: 0, bestMap: 0 }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    state.lrPeak = Math.max(state.lrPeak, learningRate(input.row) ?? 0);
    const loss = trainTotal(input.row);
    if (loss === null) return [state, { flat: { kind: 'no-data', missing: ['training loss'] } }];
    const map = accuracy(input.row);
    state.bestMap = Math.max(state.bestMap, map ?? 0);
    state.rows.push({ index: input.index, epoch: input.row.epoch, loss, map });
    if (state.rows.length > KEPT_ROWS) state.rows.shift();
    return [state, { flat: notLearning(state, input, limits) ?? judge(state, input, limits) }];
  },
});

/** How many rows it takes to tell so small an improvement from the noise. */
const windowOf = ({ rows }: State, { index }: EpochInput, limits: PlateauLimits): number | null => {
  const least = Math.min(LONGEST_WINDOW, Math.max(limits.windowRows, Math.floor(limits.windowShare * index)));
  if (rows.length < least) return null;
  const noise = noiseOf(rows.slice(-least));
  const needed = Math.ceil(4 * ((ERROR_OF_MEDIAN * noise) / limits.error) ** 2);
  const window = Math.max(least, needed);
  return window > LONGEST_WINDOW || rows.length < window ? null : window;
};

const noiseOf = (rows: readonly Row[]): number => {
  const logs = rows.map(({ loss }) => Math.log(loss));
  return (1.2 * mad(logs.slice(1).map((value, i) => value - (logs[i] ?? value)))) / Math.SQRT2;
};

const judge = (state: State, input: EpochInput, limits: PlateauLimits): Verdict => {
  const length = windowOf(state, input, limits);
  if (length === null) return { kind: 'between' };
  const window = state.rows.slice(-length);
  const half = Math.floor(length / 2);
  const [before, after] = [window.slice(0, half), window.slice(half)];
  const gain = 1 - medianLoss(after) / medianLoss(before);
  const mapGain = medianMap(after) - medianMap(before);
  if (gain > 2.5 * limits.gain || mapGain > 3 * limits.mapGain) {
    return { kind: 'clear', result: `learning again at epoch ${input.row.epoch}` };
  }
  const lr = learningRate(input.row);
  const share = lr === null || state.lrPeak <= 0 ? null : lr / state.lrPeak;
  const planned = plannedEpochs(input.run);
  const isLate = planned !== null && input.index > limits.lateShare * planned;
  const isYoung = (window[0]?.index ?? 0) <= 4 || transitionFreeRows(input) <= 0.7 * length;
  if (share === null || share <= limits.rateShare || isLate || isYoung) return { kind: 'between' };
  const expected = expectedGain(state.rows.slice(0, -length), length, input.index);
  const error = ERROR_OF_MEDIAN * noiseOf(window) * Math.sqrt(2 / half);
  const isFlat = gain < limits.gain && gain + 0.7 * error < 0.5 * expected && mapGain < limits.mapGain;
  return isFlat ? flat(input, { window, gain, expected, mapGain, share }) : { kind: 'between' };
};

const medianLoss = (rows: readonly Row[]): number => median(rows.map(({ loss }) => loss));
/** 0 where mAP is not written: it then neither speaks for nor against. */
const medianMap = (rows: readonly Row[]): number => {
  const maps = rows.flatMap(({ map }) => map ?? []);
  return maps.length === 0 ? 0 : median(maps);
};

/** The share that the loss would fall from one half of the window to the other, by the power law of the rows before it. */
const expectedGain = (earlier: readonly Row[], length: number, index: number): number => {
  const past = earlier.filter((row) => row.index > 3).slice(-3 * length);
  if (past.length < LEAST_LAW_ROWS) return GAIN_AT_FIRST;
  const each = Math.max(1, Math.floor(past.length / LAW_ROWS));
  const drawn = past.filter((_, i) => i % each === 0);
  const { slope } = theilSen(
    drawn.map((row) => Math.log(row.index)),
    drawn.map(({ loss }) => Math.log(loss)),
  );
  const ratio = (index - length / 4) / Math.max(1, index - 0.75 * length);
  return 1 - Math.exp(Math.min(0, slope) * Math.log(ratio));
};

/** A run that learned nothing in its first rows; null: it did, or these are over. */
const notLearning = (state: State, input: EpochInput, limits: PlateauLimits): Verdict | null => {
  const first = state.rows[0];
  if (input.index < limits.startRows || input.index > limits.startUntil || state.rows.length < limits.startRows)
    return null;
  const recent = state.rows.slice(-5);
  if (first === undefined || first.index > 3 || recent.every(({ map }) => map === null)) return null;
  const now = medianLoss(recent);
  if (state.bestMap >= limits.startMap || now <= limits.startLoss * first.loss) return null;
  return {
    kind: 'breach',
    severity: 'warning',
    title: 'The model does not learn',
    problem: `After ${input.index} epochs mAP50 was never above ${significant(state.bestMap)}, and the training loss is still ${significant(now)}, ${significant(first.loss)} at the start.`,
    evidence: [
      { name: 'best mAP50', value: significant(state.bestMap), unit: '', expected: `above ${limits.startMap}` },
      {
        name: 'training loss, last 5 rows',
        value: significant(now, 5),
        unit: '',
        expected: `below ${significant(limits.startLoss * first.loss)}`,
      },
    ],
    cause: {
      code: 'not_learning',
      text: 'Labels that are not found or do not fit the classes, a learning rate far too high or too low, or frozen layers.',
      confidence: 0.5,
      signals: ['neither loss nor mAP moved'],
      missing: ['label statistics'],
    },
    fix: [
      'Look at train_batch0.jpg: are the boxes there, and on the objects?',
      'Check names and the number of classes in the data file against the labels.',
      'Check lr0, freeze and the optimizer in args.yaml.',
      'Overfit ten images first: if that fails, the data is wrong.',
    ],
    epochs: [first.epoch, input.row.epoch],
  };
};

type Flat = {
  readonly window: readonly Row[];
  readonly gain: number;
  readonly expected: number;
  readonly mapGain: number;
  readonly share: number;
};

const flat = (input: EpochInput, { window, gain, expected, mapGain, share }: Flat): Verdict => {
  const epochs = [window[0]?.epoch ?? input.row.epoch, input.row.epoch] as const;
  return {
    kind: 'breach',
    severity: 'warning',
    title: 'Training stands still',
    problem: `The training loss improved by ${percent(Math.max(0, gain))} in ${epochRange(epochs)}, where the run's own course promised ${percent(expected)}; mAP50 did not gain.`,
    evidence: [
      {
        name: 'improvement of the training loss',
        value: significant(100 * gain),
        unit: '%',
        expected: percent(expected),
      },
      { name: 'gain of mAP50', value: significant(mapGain), unit: '' },
      { name: 'learning rate, of its peak', value: significant(100 * share), unit: '%' },
    ],
    cause: {
      code: 'learning_rate',
      text: `The learning rate is still at ${percent(share)} of its peak: the weights jump about a minimum that smaller steps would reach.`,
      confidence: 0.5,
      signals: [`learning rate at ${percent(share)} of its peak`],
      missing: ['gradient norms'],
    },
    fix: [
      'Let the learning rate fall earlier (cos_lr=True, fewer epochs) or go on from here with a lower lr0.',
      'If a lower rate does not help either, the model is too small or the labels are at their limit.',
    ],
    epochs,
  };
};
