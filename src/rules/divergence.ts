import { accuracy, trainTotal } from './losses.ts';
import { noiseOf } from './noise.ts';
import { defineRule, type EpochInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { epochRange, percent, significant } from './wording.ts';

const parameters = {
  minimumRise: {
    default: 0.15,
    minimum: 0.02,
    maximum: 2,
    unit: '',
    description: 'least share of the smoothed training loss above its own best',
  },
  sigmas: {
    default: 8,
    minimum: 3,
    maximum: 30,
    unit: 'σ',
    description: "the same in the run's own robust noise; the larger counts",
  },
  criticalRise: {
    default: 0.5,
    minimum: 0.1,
    maximum: 10,
    unit: '',
    description: 'critical beyond this share, and two rows are enough',
  },
  rows: { default: 3, minimum: 1, maximum: 50, unit: 'rows', description: 'rows in a row that must climb so' },
  weight: {
    default: 0.6,
    minimum: 0.1,
    maximum: 1,
    unit: '',
    description: 'weight of the newest row in the smoothed loss',
  },
  settledRows: {
    default: 3,
    minimum: 0,
    maximum: 50,
    unit: 'rows',
    description: 'first rows that are never looked at',
  },
} as const satisfies Parameters;

type Limits = ParameterValues<typeof parameters>;

type State = {
  smoothed: number | null;
  best: { readonly loss: number; readonly epoch: number; readonly map: number | null } | null;
  /** Training losses of the last rows, oldest first. */
  recent: number[];
  /** Rows in a row that were far above the best and still rising: one that stands still begins the count anew. */
  rows: number;
};

/** As many as the noise is taken from. */
const RECENT_ROWS = 25;
const SEVERE_ROWS = 2;
const NOISE_AT_FIRST = 0.02;
/** A loss that fell by less than this share did not fall. */
const STEADY = 0.998;

/**
 * The training loss climbs away from its own best and keeps climbing. A spike comes back, a new level stands still:
 * neither is divergence, so each row must also be above those two and three rows before it.
 */
export const divergence = defineRule({
  id: 'divergence',
  title: 'Training diverges',
  description: 'The smoothed training loss is far above its own best since the last change of regime, and still rises.',
  severity: ['warning', 'critical'],
  subject: 'run',
  needs: ['epochs'],
  parameters,
  tracks: { climb: { hold: { evaluations: 1 }, keepFiring: { evaluations: 5 } } },
  init: (): State => ({ smoothed: null, best: null, recent: [], rows: 0 }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    const loss = trainTotal(input.row);
    if (loss === null) return [state, { climb: { kind: 'no-data', missing: ['training loss'] } }];
    return [state, { climb: judge(state, input, loss, limits) }];
  },
});

const judge = (state: State, input: EpochInput, loss: number, limits: Limits): Verdict => {
  const { epoch } = input.row;
  const isNew = input.transition !== null || state.smoothed === null;
  const smoothed = isNew ? loss : limits.weight * loss + (1 - limits.weight) * (state.smoothed ?? loss);
  if (isNew) state.best = null;
  if (state.best === null || smoothed < state.best.loss) {
    state.best = { loss: smoothed, epoch, map: accuracy(input.row) };
  }
  state.smoothed = smoothed;
  state.recent.push(loss);
  if (state.recent.length > RECENT_ROWS) state.recent.shift();

  const rise = smoothed / state.best.loss - 1;
  const noise = noiseOf(state.recent.map(Math.log)) ?? NOISE_AT_FIRST;
  const threshold = Math.max(limits.minimumRise, limits.sigmas * noise);
  if (rise < threshold / 2) {
    state.rows = 0;
    return {
      kind: 'clear',
      result: `back at ${significant(smoothed)} at epoch ${epoch}, best ${significant(state.best.loss)}`,
    };
  }
  const climbs = rise > threshold && !input.masked && input.index > limits.settledRows && isRising(state.recent);
  state.rows = climbs ? state.rows + 1 : 0;
  const isSevere = rise > limits.criticalRise;
  if (state.rows < (isSevere ? SEVERE_ROWS : limits.rows)) return { kind: 'between' };
  return breach(input, { smoothed, rise, threshold, best: state.best, recent: state.recent }, limits);
};

const isRising = (losses: readonly number[]): boolean => {
  const now = losses.at(-1) ?? 0;
  const [three, two] = [losses.at(-4), losses.at(-3)];
  return three !== undefined && two !== undefined && now >= STEADY * two && now > STEADY * three;
};

type Climb = {
  readonly smoothed: number;
  readonly rise: number;
  readonly threshold: number;
  readonly best: NonNullable<State['best']>;
  readonly recent: readonly number[];
};

const breach = (input: EpochInput, { smoothed, rise, threshold, best, recent }: Climb, limits: Limits): Verdict => {
  const { epoch } = input.row;
  const isSevere = rise > limits.criticalRise;
  const three = recent.at(-4) ?? smoothed;
  const growth = ((recent.at(-1) ?? smoothed) / three) ** (1 / 3) - 1;
  const map = accuracy(input.row);
  return {
    kind: 'breach',
    severity: isSevere ? 'critical' : 'warning',
    title: 'Training diverges',
    problem:
      `The training loss is ${percent(rise)} above its best of ${significant(best.loss)} at epoch ${best.epoch} ` +
      `and still rises, by ${percent(growth)} an epoch.`,
    evidence: [
      {
        name: 'smoothed training loss',
        value: significant(smoothed, 5),
        unit: '',
        expected: significant(best.loss, 5),
      },
      {
        name: 'rise above its best',
        value: significant(100 * rise),
        unit: '%',
        expected: `below ${percent(threshold)}`,
      },
      { name: 'growth of the loss per epoch', value: significant(100 * growth), unit: '%' },
      { name: 'epochs since the best', value: epoch - best.epoch, unit: 'epochs' },
      {
        name: 'mAP50',
        value: map === null ? null : significant(map),
        unit: '',
        expected: best.map && significant(best.map),
      },
    ],
    cause: {
      code: 'learning_rate',
      text: 'The usual reason is a learning rate too high for the batch size and the data; bad labels that come in with later images are the other.',
      confidence: 0.4,
      signals: [`rises in ${epochRange([best.epoch, epoch])}`],
      missing: ['gradient norms', 'console log (NaN recoveries)'],
    },
    fix: [
      `Stop the run: nothing has been gained since epoch ${best.epoch}.`,
      'Go on from best.pt with a learning rate 3 to 10 times lower.',
      'If it comes back at the same place, look at the images and labels that this epoch sees first.',
    ],
    epochs: [best.epoch, epoch],
  };
};
