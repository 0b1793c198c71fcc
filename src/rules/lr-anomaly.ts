import { learningRate, learningRates } from './losses.ts';
import { namedPeak, scheduledShares, warmupEpochs } from './lr-schedule.ts';
import { defineRule, type EpochInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { epochRange, percent, significant } from './wording.ts';

const parameters = {
  offOnce: {
    default: 0.5,
    minimum: 0.05,
    maximum: 10,
    unit: '',
    description: 'one row this share off its schedule is enough',
  },
  off: {
    default: 0.03,
    minimum: 0.001,
    maximum: 1,
    unit: '',
    description: 'two rows in a row this share off it are enough',
  },
  frozenRows: {
    default: 5,
    minimum: 3,
    maximum: 50,
    unit: 'rows',
    description: 'rows without a change after a steady fall',
  },
  frozenShare: {
    default: 0.05,
    minimum: 0,
    maximum: 1,
    unit: 'of its peak',
    description: 'at a lower rate standing still is the end of the schedule',
  },
  decayShare: {
    default: 0.6,
    minimum: 0.1,
    maximum: 1,
    unit: 'of the rows',
    description: 'the rate must have fallen in this share of the rows before: schedules in steps stand still by design',
  },
} as const satisfies Parameters;

type Limits = ParameterValues<typeof parameters>;

type State = {
  before: number | null;
  peak: number;
  /** The peak that the schedule is taken from once warm-up is over: the one that the arguments name, else a fitted one. */
  peakAt: number | null;
  /** Rows in a row that are off the schedule. */
  off: number;
  /** Rows after warm-up in which the rate fell, and those in a row in which it did not move. */
  falls: number;
  equal: number;
};

const LEAST_FALLS = 5;
/** A rate that changed by a smaller share did not change. */
const SAME = 1e-4;
/** Rates this much apart are different ones. */
const SETTLING = 0.1;

/** The share by which a rate lies outside of what its schedule may give. */
const offBy = (lr: number, peak: number, [least, most]: readonly [number, number]): number =>
  Math.max(0, lr / (peak * most) - 1, 1 - lr / (peak * least));

/** A learning rate that is not what the schedule says, that fell to nothing, or that froze. */
export const lrAnomaly = defineRule({
  id: 'lr_anomaly',
  title: 'Learning rate off its schedule',
  description:
    'The learning rate differs from the schedule that the arguments give; without arguments: it is 0 after warm-up, or stands still after a steady fall. A rise that no argument explains is a note.',
  severity: ['info', 'warning'],
  subject: 'run',
  needs: ['epochs'],
  parameters,
  tracks: { schedule: { hold: { evaluations: 1 }, keepFiring: { evaluations: 5 }, cooldown: { evaluations: 5 } } },
  init: (): State => ({ before: null, peak: 0, peakAt: null, off: 0, falls: 0, equal: 0 }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    const lr = learningRate(input.row);
    if (lr === null) return [state, { schedule: { kind: 'no-data', missing: ['learning rate'] } }];
    const verdict = judge(state, input, lr, limits);
    state.before = lr;
    state.peak = Math.max(state.peak, lr);
    return [state, { schedule: verdict }];
  },
});

const judge = (state: State, input: EpochInput, lr: number, limits: Limits): Verdict => {
  if (input.index <= warmupEpochs(input.run) + 1) return { kind: 'between' };
  if (lr <= 0) return zero(input, state);
  const shares = scheduledShares(input.run, input.index);
  if (shares !== null) return scheduled(state, input, { lr, shares }, limits);
  if (input.transition === 'lr_jump') return jumped(input, lr, state.before ?? lr);
  return frozen(state, input, lr, limits);
};

/** A rate, and the lowest and highest share of its peak that the schedule may give it. */
type Scheduled = { readonly lr: number; readonly shares: readonly [number, number] };

/** On few images warm-up lasts longer than its epochs: parameter groups differ, or the rate still rises to its schedule. */
const isWarmingUp = (state: State, { row }: EpochInput, { lr, shares }: Scheduled, peak: number): boolean => {
  const groups = learningRates(row);
  if (Math.max(...groups) > (1 + SETTLING) * Math.min(...groups)) return true;
  return state.before !== null && lr > state.before && lr < peak * Math.min(...shares) * (1 + SETTLING);
};

const scheduled = (state: State, input: EpochInput, { lr, shares }: Scheduled, limits: Limits): Verdict => {
  if (state.peakAt === null) {
    const named = namedPeak(input.run);
    const peak = named ?? lr / Math.max(...shares);
    if (isWarmingUp(state, input, { lr, shares }, peak)) return { kind: 'between' };
    state.peakAt = peak;
  }
  const off = offBy(lr, state.peakAt, shares);
  // A fitted peak is not exact enough for small differences.
  const isOff = off > (namedPeak(input.run) === null ? limits.offOnce : limits.off);
  state.off = isOff ? state.off + 1 : 0;
  if (off <= limits.offOnce && state.off < 2) {
    return state.off > 0
      ? { kind: 'between' }
      : { kind: 'clear', result: `back on its schedule at epoch ${input.row.epoch}` };
  }
  const expected = state.peakAt * Math.max(...shares);
  const { epoch } = input.row;
  return {
    kind: 'breach',
    severity: 'warning',
    title: 'Learning rate off its schedule',
    problem: `The learning rate at epoch ${epoch} is ${significant(lr)}, ${significant(lr / expected)} times the ${significant(expected)} that the arguments give.`,
    evidence: [
      { name: 'learning rate', value: significant(lr, 4), unit: '', expected: significant(expected, 4) },
      { name: 'off its schedule', value: significant(100 * off), unit: '%', expected: `below ${percent(limits.off)}` },
    ],
    cause: {
      code: 'schedule',
      text: 'A scheduler stepped at another place or twice, a resume with other arguments, or an optimizer set up by hand.',
      confidence: 0.4,
      signals: [`lrf ${String(input.run.args?.lrf)}`, `cos_lr ${String(input.run.args?.cos_lr ?? false)}`],
      missing: ["the training's own code"],
    },
    fix: [
      'Compare epochs, lr0, lrf and cos_lr in args.yaml with what was meant.',
      'After a resume: the schedule goes on from the checkpoint only with --resume, not with new arguments.',
      'With code of your own: call scheduler.step() once an epoch, after the optimizer.',
    ],
    epochs: [epoch - state.off + 1, epoch],
  };
};

const frozen = (state: State, input: EpochInput, lr: number, limits: Limits): Verdict => {
  const { before } = state;
  if (before === null || before <= 0) return { kind: 'between' };
  if (Math.abs(lr / before - 1) < SAME) state.equal += 1;
  else {
    state.equal = 0;
    if (lr < before) state.falls += 1;
  }
  const judged = input.index - warmupEpochs(input.run) - 2 - state.equal;
  const isFrozen =
    state.equal >= limits.frozenRows &&
    state.falls >= LEAST_FALLS &&
    lr > limits.frozenShare * state.peak &&
    state.falls >= limits.decayShare * judged;
  if (!isFrozen) return state.equal > 0 ? { kind: 'between' } : { kind: 'clear' };
  const { epoch } = input.row;
  return {
    kind: 'breach',
    severity: 'warning',
    title: 'Learning rate stands still',
    problem: `The learning rate fell from epoch to epoch and has stood at ${significant(lr)} in ${epochRange([epoch - state.equal, epoch])}, ${percent(lr / state.peak)} of its peak.`,
    evidence: [
      { name: 'learning rate', value: significant(lr, 4), unit: '' },
      { name: 'rows without a change', value: state.equal, unit: 'rows', expected: `below ${limits.frozenRows}` },
      { name: 'rows in which it fell before', value: state.falls, unit: 'rows' },
    ],
    cause: {
      code: 'schedule',
      text: 'The scheduler is not stepped any more, or a resume lost it.',
      confidence: 0.5,
      signals: ['a steady fall before'],
      missing: ['arguments of the training'],
    },
    fix: ['Check that the scheduler is part of the checkpoint and is stepped once an epoch.'],
    epochs: [epoch - state.equal, epoch],
  };
};

const zero = ({ row }: EpochInput, { peak }: State): Verdict => ({
  kind: 'breach',
  severity: 'warning',
  title: 'Learning rate is 0',
  problem: `The learning rate at epoch ${row.epoch} is 0: the weights do not change any more.`,
  evidence: [{ name: 'learning rate', value: 0, unit: '', expected: `above 0, ${significant(peak)} at its peak` }],
  cause: {
    code: 'schedule',
    text: 'A schedule that ended too early, or lrf=0.',
    confidence: 0.6,
    signals: [],
    missing: ['arguments of the training'],
  },
  fix: ['Check epochs and lrf: the schedule must be as long as the training.'],
  epochs: [row.epoch, row.epoch],
});

const jumped = ({ row }: EpochInput, lr: number, before: number): Verdict => ({
  kind: 'breach',
  severity: 'info',
  title: 'Learning rate went up',
  problem: `The learning rate rose from ${significant(before)} to ${significant(lr)} at epoch ${row.epoch}: a warm restart?`,
  evidence: [{ name: 'learning rate', value: significant(lr, 4), unit: '', expected: significant(before, 4) }],
  cause: null,
  fix: ['Nothing, if a restart of the schedule is meant.'],
  epochs: [row.epoch, row.epoch],
});
