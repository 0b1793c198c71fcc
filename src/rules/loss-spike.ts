import { mad, median, theilSen } from '../core/statistics.ts';
import { type EarlyState, judgeEarly, NO_EARLY } from './early-instability.ts';
import { learningRate, type Parts, trainParts, trainTotal } from './losses.ts';
import { defineRule, type EpochInput, type Verdict } from './rule.ts';
import { spikeCause, spikeFix } from './spike-cause.ts';
import { SPIKE_PARAMETERS, type SpikeLimits } from './spike-parameters.ts';
import { percent, significant } from './wording.ts';

/** An ordinary row: ln of epoch, ln of loss, and the components. */
type Point = { readonly x: number; readonly y: number; readonly parts: Parts };

type State = {
  /** The last ordinary rows, oldest first. */
  baseline: Point[];
  /** Their distances from the forecast, oldest first. */
  residuals: number[];
  /** Raised rows in a row. */
  raised: number;
  lr: number | null;
  early: EarlyState;
};

const MINIMUM_BASELINE = 5;
const MINIMUM_RESIDUALS = 8;
/** So many raised rows before a new level is taken, the alert may already clear. */
const LEVEL_CLEARS_EARLIER = 2;

/**
 * One epoch's training loss far above its own course. A power law is a straight line in log-log: a robust line (Theil-Sen,
 * never rising) through the last ordinary rows forecasts the next one, and the residuals give the noise.
 * The first five rows have no forecast, which also keeps warm-up out.
 */
export const lossSpike = defineRule({
  id: 'loss_spike',
  title: 'Loss spike',
  description:
    "The training loss of an epoch is far above what the run's own course leads one to expect. Early instability (the first epochs above their lowest loss) is noted as info with the epochs it covers.",
  severity: ['info', 'warning', 'critical'],
  subject: 'run',
  needs: ['epochs'],
  parameters: SPIKE_PARAMETERS,
  tracks: {
    spike: { hold: { evaluations: 1 }, keepFiring: { evaluations: 2 }, cooldown: { evaluations: 3 } },
    early: { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } },
  },
  init: (): State => ({ baseline: [], residuals: [], raised: 0, lr: null, early: NO_EARLY }),
  step: (state, input, limits) => {
    if (input.kind !== 'epoch') return [state, {}];
    const total = trainTotal(input.row);
    const parts = trainParts(input.row);
    if (total === null || parts === null) {
      const missing: Verdict = { kind: 'no-data', missing: ['training loss'] };
      return [state, { spike: missing, early: missing }];
    }
    const point = { x: Math.log(input.index), y: Math.log(total), parts };
    const spike = judgeSpike(state, input, point, limits);
    const [earlyState, early] = judgeEarly(state.early, input, total, limits);
    state.early = earlyState;
    state.lr = learningRate(input.row);
    return [state, { spike, early }];
  },
});

const judgeSpike = (state: State, input: EpochInput, point: Point, limits: SpikeLimits): Verdict => {
  const judged = state.baseline.length < MINIMUM_BASELINE ? null : compare(state, point, limits);
  const verdict = judged ? speak(state, input, point, judged, limits) : ({ kind: 'between' } as const);
  if (judged) remember(state, input, judged, limits);
  if (!judged?.isSpike || input.masked) {
    if (input.transition !== null) state.baseline = [];
    state.baseline.push(point);
    if (state.baseline.length > limits.baselineRows) state.baseline.shift();
  }
  return verdict;
};

/** How a row stands to its forecast; all in ln of loss. */
type Comparison = {
  readonly forecast: number;
  readonly residual: number;
  readonly noise: number;
  readonly threshold: number;
  readonly isSpike: boolean;
};

const compare = ({ baseline, residuals }: State, { x, y }: Point, limits: SpikeLimits): Comparison => {
  const xs = baseline.map((point) => point.x);
  const ys = baseline.map((point) => point.y);
  const slope = Math.min(0, theilSen(xs, ys).slope);
  const forecast = median(baseline.map((point) => point.y - slope * point.x)) + slope * x;
  const noise = Math.max(
    residuals.length >= MINIMUM_RESIDUALS ? mad(residuals) : limits.noiseAtFirst,
    limits.noiseFloor,
  );
  const threshold = Math.max(limits.sigmas * noise, limits.minimumRise);
  const residual = y - forecast;
  const isSpike = residual > threshold && y > Math.max(...ys.slice(-2)) + limits.minimumStep;
  return { forecast, residual, noise, threshold, isSpike };
};

const remember = (
  state: State,
  input: EpochInput,
  { isSpike, residual, threshold }: Comparison,
  limits: SpikeLimits,
): void => {
  if (!isSpike || input.masked) {
    state.residuals.push(Math.max(-3 * threshold, Math.min(residual, threshold)));
    if (state.residuals.length > limits.noiseRows) state.residuals.shift();
  }
  state.raised = isSpike ? state.raised + 1 : 0;
  if (state.raised < limits.levelRows) return;
  state.baseline = [];
  state.residuals = [];
  state.raised = 0;
};

const speak = (state: State, input: EpochInput, point: Point, judged: Comparison, limits: SpikeLimits): Verdict => {
  const { forecast, residual, noise, threshold, isSpike } = judged;
  const { epoch } = input.row;
  if (state.raised >= limits.levelRows - LEVEL_CLEARS_EARLIER) {
    return { kind: 'clear', result: `the loss stayed raised: at epoch ${epoch} its new level becomes the baseline` };
  }
  if (!isSpike) {
    if (residual >= threshold / 2) return { kind: 'between' };
    return {
      kind: 'clear',
      result: `back at ${significant(Math.exp(point.y))} at epoch ${epoch}, ${significant(Math.exp(forecast))} expected`,
    };
  }
  const moved = movedParts(state.baseline, point.parts);
  const cause = spikeCause({ input, lrBefore: state.lr, moved });
  const critical = residual > limits.criticalFactor * threshold && residual > limits.criticalRise;
  const value = Math.exp(point.y);
  const expected = Math.exp(forecast);
  return {
    kind: 'breach',
    severity: input.masked ? 'info' : critical ? 'critical' : 'warning',
    title: 'Loss spike',
    problem:
      `Training loss ${significant(value)} at epoch ${epoch} is ${percent(value / expected - 1)} above the ` +
      `${significant(expected)} expected from the ${state.baseline.length} ordinary epochs before it.`,
    evidence: [
      { name: 'training loss', value: significant(value, 5), unit: '', expected: significant(expected, 5) },
      {
        name: 'rise above the forecast',
        value: significant(residual),
        unit: 'ln',
        expected: `below ${significant(threshold)}`,
      },
      {
        name: 'rise in noise units',
        value: significant(residual / noise),
        unit: 'σ',
        expected: `below ${significant(threshold / noise)}`,
      },
      ...Object.entries(point.parts).map(([name, part]) => ({
        name,
        value: significant(part, 5),
        unit: '',
        expected: usual(state.baseline, name),
      })),
    ],
    cause,
    fix: spikeFix(cause.code),
    epochs: [epoch, epoch],
  };
};

/** The components that carry the rise: each of them at least half as much, in proportion, as the one that rose most. */
const movedParts = (baseline: readonly Point[], parts: Parts): readonly string[] => {
  const rises = Object.entries(parts).flatMap(([name, value]) => {
    const before = usual(baseline, name);
    return before !== null && before > 0 ? [{ name, rise: value / before - 1 }] : [];
  });
  const most = Math.max(...rises.map(({ rise }) => rise));
  return rises.filter(({ rise }) => rise > 0 && rise >= most / 2).map(({ name }) => name);
};

/** What a component was in the last ordinary rows; null where it was not written. */
const usual = (baseline: readonly Point[], name: string): number | null => {
  const values = baseline.slice(-MINIMUM_BASELINE).flatMap(({ parts }) => parts[name] ?? []);
  return values.length === 0 ? null : significant(median(values), 5);
};
