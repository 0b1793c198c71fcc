import type { EpochInput, Verdict } from './rule.ts';
import { epochRange, percent, significant } from './wording.ts';

/** The lowest loss so far, and since which epoch the loss has stayed above it. Plain JSON. */
export type EarlyState = {
  readonly minimum: number | null;
  readonly raisedSince: number | null;
  /** The minimum that an open note waits to see again. */
  readonly waitsFor: number | null;
};

/** Nothing seen. */
export const NO_EARLY: EarlyState = { minimum: null, raisedSince: null, waitsFor: null };

type Limits = { readonly earlyEpochs: number; readonly earlyRise: number; readonly earlyReturn: number };

/**
 * The bump that the first epochs of a training often have: the loss rises above its lowest value so far and comes back.
 * An annotation with the epochs of the bump, open until the loss is back at the old minimum.
 */
export const judgeEarly = (
  state: EarlyState,
  input: EpochInput,
  total: number,
  limits: Limits,
): [EarlyState, Verdict] => {
  const floor = state.waitsFor ?? state.minimum ?? total;
  const raised = total > (1 + limits.earlyReturn) * floor;
  const raisedSince = raised ? (state.raisedSince ?? input.row.epoch) : null;
  const begins = input.index <= limits.earlyEpochs && total > (1 + limits.earlyRise) * floor;
  const waitsFor = raised && (state.waitsFor !== null || begins) ? floor : null;
  const next = { minimum: Math.min(state.minimum ?? total, total), raisedSince, waitsFor };
  if (waitsFor !== null && raisedSince !== null) return [next, breach(input, total, floor, raisedSince)];
  return [next, raised ? { kind: 'between' } : { kind: 'clear', result: `resolved at epoch ${input.row.epoch}` }];
};

const breach = ({ row }: EpochInput, total: number, floor: number, since: number): Verdict => ({
  kind: 'breach',
  severity: 'info',
  title: 'Early instability',
  problem:
    `Training loss rose to ${significant(total)} in ${epochRange([since, row.epoch])}, ` +
    `${percent(total / floor - 1)} above its lowest value so far, ${significant(floor)}.`,
  evidence: [{ name: 'training loss', value: significant(total, 5), unit: '', expected: significant(floor, 5) }],
  cause: {
    code: 'warmup',
    text: 'The first epochs of a training are unsettled: the learning rate warms up, or layers that were frozen begin to move.',
    confidence: 0.5,
    signals: [`it began at epoch ${since}`],
    missing: ['console log'],
  },
  fix: [
    'Wait: as a rule it passes within the first ten epochs, and this note then says at which.',
    'If it does not pass, or comes with every start, warm up longer (warmup_epochs=5) or lower lr0.',
  ],
  epochs: [since, row.epoch],
});
