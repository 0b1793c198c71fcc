import { mad, median } from '../core/statistics.ts';
import { defineRule, type EpochInput, type Parameters, type ParameterValues, type Verdict } from './rule.ts';
import { percent, significant } from './wording.ts';

const parameters = {
  ratio: {
    default: 1.2,
    minimum: 1.02,
    maximum: 10,
    unit: '×',
    description: 'an epoch takes more than so many times as long',
  },
  sigmas: {
    default: 5,
    minimum: 2,
    maximum: 30,
    unit: 'σ',
    description: "and so many of the run's own robust deviations longer",
  },
  longer: {
    default: 2,
    minimum: 0,
    maximum: 600,
    unit: 's',
    description: 'and so much longer: some trainers write whole seconds',
  },
  backRatio: { default: 1.1, minimum: 1, maximum: 5, unit: '×', description: 'below so many times as long it is over' },
} as const satisfies Parameters;

type Limits = ParameterValues<typeof parameters>;

type State = {
  /** The row before: its attempt and the seconds since that attempt's start. */
  before: { readonly attempt: number; readonly elapsedS: number } | null;
  /** Rows of a new attempt still to be passed over. */
  skip: number;
  /** Lengths of ordinary epochs, oldest first, seconds. */
  lengthsS: number[];
};

const BASELINE_ROWS = 40;
const LEAST_ROWS = 5;
/** The deviation that is believed at least, of the usual length. */
const LEAST_DEVIATION = 0.01;

/** Epochs that take longer than they used to in the same run. The first one of an attempt never counts. */
export const throughputDrop = defineRule({
  id: 'throughput_drop',
  title: 'Training slowed down',
  description: "Epochs take clearly longer than the run's own usual epoch, three times in a row.",
  severity: ['warning'],
  subject: 'run',
  needs: ['epochs'],
  parameters,
  tracks: { slow: { hold: { evaluations: 3 }, keepFiring: { evaluations: 3 }, cooldown: { evaluations: 3 } } },
  init: (): State => ({ before: null, skip: 0, lengthsS: [] }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    const { elapsedS } = input.row;
    if (elapsedS === null) return [state, { slow: { kind: 'no-data', missing: ['time of the epoch'] } }];
    const lengthS = lengthOf(state, input, elapsedS);
    return [state, { slow: lengthS === null ? { kind: 'between' } : judge(state, input, lengthS, limits) }];
  },
});

/** Seconds since the row before; null where that is not the length of an ordinary epoch. */
const lengthOf = (state: State, { row, transition }: EpochInput, elapsedS: number): number | null => {
  const { before } = state;
  state.before = { attempt: row.attempt, elapsedS };
  if (before === null) return null;
  if (
    transition === 'resume' ||
    transition === 'rerun' ||
    before.attempt !== row.attempt ||
    elapsedS <= before.elapsedS
  ) {
    state.lengthsS = [];
    state.skip = 1;
    return null;
  }
  if (state.skip > 0) {
    state.skip -= 1;
    return null;
  }
  // The loader is built anew, and images are no longer mosaics.
  if (transition === 'close_mosaic') state.lengthsS = [];
  return elapsedS - before.elapsedS;
};

const judge = (state: State, input: EpochInput, lengthS: number, limits: Limits): Verdict => {
  const { lengthsS } = state;
  const keep = () => {
    lengthsS.push(lengthS);
    if (lengthsS.length > BASELINE_ROWS) lengthsS.shift();
  };
  if (lengthsS.length < LEAST_ROWS) {
    keep();
    return { kind: 'between' };
  }
  const usualS = median(lengthsS);
  const deviationS = Math.max(mad(lengthsS), LEAST_DEVIATION * usualS);
  const atMostS = Math.max(limits.ratio * usualS, usualS + limits.sigmas * deviationS, usualS + limits.longer);
  if (lengthS > atMostS) return breach(input, { lengthS, usualS, atMostS });
  keep();
  if (lengthS >= limits.backRatio * usualS) return { kind: 'between' };
  return {
    kind: 'clear',
    result: `back at ${significant(lengthS)} s an epoch at epoch ${input.row.epoch}, ${significant(usualS)} s is usual`,
  };
};

type Slow = { readonly lengthS: number; readonly usualS: number; readonly atMostS: number };

const breach = ({ row }: EpochInput, { lengthS, usualS, atMostS }: Slow): Verdict => ({
  kind: 'breach',
  severity: 'warning',
  title: 'Training slowed down',
  problem: `Epoch ${row.epoch} took ${significant(lengthS)} s, ${percent(lengthS / usualS - 1)} more than the usual ${significant(usualS)} s.`,
  evidence: [
    { name: 'length of the epoch', value: significant(lengthS), unit: 's', expected: `below ${significant(atMostS)}` },
    { name: 'usual length', value: significant(usualS), unit: 's' },
    { name: 'lost per epoch', value: significant(lengthS - usualS), unit: 's' },
  ],
  cause: {
    code: 'unknown',
    text: 'Rows alone do not say why: another job on the GPU or the CPU, a disk that became slow, or a GPU that is held back by heat.',
    confidence: 0.2,
    signals: [],
    missing: ['share of time spent waiting for data'],
  },
  fix: [
    'Look at the GPU in these epochs: a clock that fell means heat or power, low utilization means that data does not come.',
    'Look for other processes on the GPU and on the CPU since then.',
    'Look at the disks: their latency and who else reads.',
  ],
  epochs: [row.epoch, row.epoch],
});
