import type { EpochRow } from '../core/run.ts';
import { defineRule, type EpochInput, type Parameters, type Verdict } from './rule.ts';

const parameters = {
  validationFrom: {
    default: 5,
    minimum: 1,
    maximum: 100,
    unit: 'epoch',
    description: 'from this epoch on, a validation loss alone that is not finite warns; before, it is noted',
  },
} as const satisfies Parameters;

/**
 * A loss that is NaN or infinite. In training it is the end of learning; in validation alone it is common and mostly
 * harmless (12 of 90 public runs). There is nothing between the two. Ultralytics writes no row for an epoch that it repeats from `last.pt` after a NaN.
 */
export const lossNan = defineRule({
  id: 'loss_nan',
  title: 'Loss not finite',
  description:
    'A training loss is NaN or infinite (critical), or only a validation loss is (warning after the first epochs, before that a note).',
  severity: ['info', 'warning', 'critical'],
  subject: 'run',
  needs: ['epochs'],
  parameters,
  tracks: { loss: { hold: { evaluations: 1 }, keepFiring: { evaluations: 3 } } },
  init: () => ({}),
  step: (state, input, { validationFrom }) => {
    if (input.kind !== 'epoch') return [state, {}];
    return [state, { loss: judge(input, validationFrom) }];
  },
});

const judge = (input: EpochInput, validationFrom: number): Verdict => {
  const train = notFinite(input.row, 'train/');
  if (train.length > 0) return trainBreach(input, train);
  const validation = notFinite(input.row, 'val/');
  if (validation.length > 0) return validationBreach(input, validation, input.index >= validationFrom);
  const written = Object.entries(input.row.metrics).some(
    ([name, value]) => name.startsWith('train/') && value !== null,
  );
  if (!written) return { kind: 'no-data', missing: ['training loss'] };
  return { kind: 'clear', result: `finite again, seen at epoch ${input.row.epoch}` };
};

const notFinite = (row: EpochRow, prefix: string): readonly string[] =>
  Object.keys(row.nonFinite ?? {}).filter((name) => name.startsWith(prefix));

const evidenceOf = ({ row }: EpochInput, names: readonly string[]) =>
  names.map((name) => ({ name, value: row.nonFinite?.[name] ?? null, unit: '', expected: 'a finite number' }));

const trainBreach = (input: EpochInput, names: readonly string[]): Verdict => {
  const mixedPrecision = input.run.args?.amp === true;
  return {
    kind: 'breach',
    severity: 'critical',
    title: 'Training loss not finite',
    problem: `Not finite at epoch ${input.row.epoch}: ${names.join(', ')}; the model no longer learns.`,
    evidence: evidenceOf(input, names),
    cause: {
      code: mixedPrecision ? 'mixed_precision' : 'unknown',
      text: mixedPrecision
        ? 'Training runs in mixed precision, where a large activation overflows; a learning rate that is too high does the rest.'
        : 'A learning rate that is too high, or labels with boxes of zero or negative size.',
      confidence: mixedPrecision ? 0.5 : 0.2,
      signals: mixedPrecision ? ['amp is on'] : [],
      missing: ['console log (recoveries from NaN)'],
    },
    fix: [
      'Stop the run: it does not recover by itself once the weights are NaN.',
      'Restart from the last good weights with amp=False, or in bf16.',
      'If it comes back, lower lr0 by 3 to 10 times.',
      'Check the labels for boxes with zero or negative width or height.',
    ],
    epochs: [input.row.epoch, input.row.epoch],
  };
};

const validationBreach = (input: EpochInput, names: readonly string[], settled: boolean): Verdict => ({
  kind: 'breach',
  severity: settled ? 'warning' : 'info',
  title: 'Validation loss not finite',
  problem: `Not finite at epoch ${input.row.epoch}: ${names.join(', ')}; all training losses are finite.`,
  evidence: evidenceOf(input, names),
  cause: {
    code: 'validation_overflow',
    text: 'Validation overflowed, usually because it runs in fp16 or on young averaged weights; training is not affected.',
    confidence: 0.6,
    signals: ['all training losses are finite'],
    missing: ['console log'],
  },
  fix: [
    'Judge the run by mAP and the training loss meanwhile: both are sound.',
    'If it lasts, validate in full precision (half=False, amp=False).',
  ],
  epochs: [input.row.epoch, input.row.epoch],
});
