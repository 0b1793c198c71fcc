import type { Cause } from '../core/alert.ts';
import { median } from '../core/statistics.ts';
import { accuracy, learningRate, valTotal } from './losses.ts';
import { noiseOf } from './noise.ts';
import { defineRule, type EpochInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { percent, significant } from './wording.ts';

const parameters = {
  level: { default: 0.1, minimum: 0.01, maximum: 0.9, unit: 'mAP', description: 'mAP50 below this cannot collapse' },
  share: {
    default: 0.25,
    minimum: 0.05,
    maximum: 0.9,
    unit: '',
    description: 'least fall, as a share of the median of the last five ordinary rows',
  },
  sigmas: { default: 6, minimum: 2, maximum: 30, unit: 'σ', description: "the same in the run's own robust noise" },
  fall: { default: 0.05, minimum: 0.01, maximum: 0.5, unit: 'mAP', description: 'the same in mAP50 itself' },
  criticalShare: { default: 0.5, minimum: 0.1, maximum: 1, unit: '', description: 'critical beyond this share' },
  back: { default: 0.9, minimum: 0.5, maximum: 1, unit: '', description: 'share of that median at which it is over' },
  settledRows: {
    default: 10,
    minimum: 0,
    maximum: 100,
    unit: 'rows',
    description: 'first rows in which a fall is noted, not warned of: pretrained weights dip when they are tuned',
  },
  levelRows: {
    default: 20,
    minimum: 3,
    maximum: 200,
    unit: 'rows',
    description: 'low rows in a row that make a new level',
  },
} as const satisfies Parameters;

type Limits = ParameterValues<typeof parameters>;

type State = {
  /** mAP50 of the last ordinary rows, oldest first. */
  ordinary: number[];
  /** Low rows in a row. */
  low: number;
  lr: number | null;
};

const ORDINARY_ROWS = 9;
const LEVEL_ROWS = 5;
const NOISE_FLOOR = 0.004;

/** mAP that falls away from one row to the next, far beyond its noise. */
export const mapCollapse = defineRule({
  id: 'map_collapse',
  title: 'mAP collapse',
  description:
    'mAP50 is far below the median of the rows before. In the first epochs and after a change of regime it is a note.',
  severity: ['info', 'warning', 'critical'],
  subject: 'run',
  needs: ['epochs'],
  parameters,
  tracks: { fall: { hold: { evaluations: 1 }, keepFiring: { evaluations: 2 }, cooldown: { evaluations: 3 } } },
  init: (): State => ({ ordinary: [], low: 0, lr: null }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    const map = accuracy(input.row);
    if (map === null) return [state, { fall: { kind: 'no-data', missing: ['mAP50'] } }];
    const verdict = judge(state, input, map, limits);
    state.lr = learningRate(input.row);
    return [state, { fall: verdict }];
  },
});

const judge = (state: State, input: EpochInput, map: number, limits: Limits): Verdict => {
  const { ordinary } = state;
  if (ordinary.length < LEVEL_ROWS) {
    keep(state, map);
    return { kind: 'between' };
  }
  const level = median(ordinary.slice(-LEVEL_ROWS));
  const noise = Math.max(noiseOf(ordinary) ?? 0, NOISE_FLOOR);
  const fall = level - map;
  const isLow =
    level >= limits.level && fall > limits.share * level && fall > limits.sigmas * noise && fall > limits.fall;
  const isEarly = input.index <= limits.settledRows;
  if (!isLow || isEarly) keep(state, map);
  state.low = isLow ? state.low + 1 : 0;
  if (state.low >= limits.levelRows) {
    state.ordinary = [];
    state.low = 0;
    return {
      kind: 'clear',
      result: `mAP50 stayed low: ${significant(map)} at epoch ${input.row.epoch} is its new level`,
    };
  }
  if (isLow) return breach(state, input, { map, level, fall, noise, isNote: isEarly || input.masked }, limits);
  if (map <= limits.back * level) return { kind: 'between' };
  return {
    kind: 'clear',
    result: `back at ${significant(map)} at epoch ${input.row.epoch}, ${significant(level)} before`,
  };
};

const keep = (state: State, map: number): void => {
  state.ordinary.push(map);
  if (state.ordinary.length > ORDINARY_ROWS) state.ordinary.shift();
};

type Fall = {
  readonly map: number;
  readonly level: number;
  readonly fall: number;
  readonly noise: number;
  readonly isNote: boolean;
};

const breach = (
  state: State,
  input: EpochInput,
  { map, level, fall, noise, isNote }: Fall,
  limits: Limits,
): Verdict => {
  const { epoch } = input.row;
  const cause = causeOf(state, input);
  return {
    kind: 'breach',
    severity: isNote ? 'info' : fall > limits.criticalShare * level ? 'critical' : 'warning',
    title: 'mAP collapsed',
    problem: `mAP50 fell to ${significant(map)} at epoch ${epoch}, ${percent(fall / level)} below the ${significant(level)} of the epochs before.`,
    evidence: [
      { name: 'mAP50', value: significant(map), unit: '', expected: significant(level) },
      {
        name: 'fall',
        value: significant(fall),
        unit: '',
        expected: `below ${significant(Math.max(limits.fall, limits.share * level, limits.sigmas * noise))}`,
      },
      { name: 'fall in noise units', value: significant(fall / noise), unit: 'σ', expected: `below ${limits.sigmas}` },
    ],
    cause,
    fix: fixOf(cause.code),
    epochs: [epoch, epoch],
  };
};

/** A rise of the learning rate by more than this factor explains a collapse. */
const LR_RISE = 1.5;
const MISSING = ['console log (NaN recoveries)', 'whether weights are averaged (EMA)'];

const causeOf = (state: State, input: EpochInput): Cause => {
  const { row, transition } = input;
  const lr = learningRate(row);
  const notFinite = Object.keys(row.nonFinite ?? {});
  if (notFinite.length > 0) {
    return {
      code: 'not_finite',
      text: 'A loss is not finite in the same epoch: the weights, or their average, overflowed.',
      confidence: 0.8,
      signals: notFinite,
      missing: MISSING,
    };
  }
  if (lr !== null && state.lr !== null && state.lr > 0 && lr > LR_RISE * state.lr) {
    return {
      code: 'learning_rate',
      text: 'The learning rate went up in the same epoch.',
      confidence: 0.8,
      signals: [`learning rate ${significant(state.lr)} → ${significant(lr)}`],
      missing: MISSING,
    };
  }
  if (transition === 'resume' || transition === 'rerun') {
    return {
      code: 'resume',
      text: 'Training was started again here: other labels, another loader or averaged weights that began anew.',
      confidence: 0.6,
      signals: [`attempt ${row.attempt} begins at this epoch`],
      missing: MISSING,
    };
  }
  return {
    code: 'unknown',
    text: 'Nothing in the rows explains it: a few very bad batches, or a validation that read other data.',
    confidence: 0.2,
    signals: valTotal(row) === null ? ['no validation loss in this row'] : [],
    missing: MISSING,
  };
};

const fixOf = (code: string): readonly string[] => {
  const wait = 'If mAP is not back after two or three epochs, stop and go on from best.pt.';
  switch (code) {
    case 'not_finite':
      return ['Train with amp=False or in bf16, and validate in full precision.', wait];
    case 'learning_rate':
      return ['Lower lr0, or warm up again after the restart of the schedule.', wait];
    case 'resume':
      return ['Compare data, batch and augmentation of the two attempts in args.yaml.', wait];
    default:
      return ['Look for "NaN" and for warnings of the data loader in the console log of this epoch.', wait];
  }
};
