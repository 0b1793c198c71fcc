import type { Cause } from '../core/alert.ts';
import { learningRate } from './losses.ts';
import type { EpochInput } from './rule.ts';
import { significant } from './wording.ts';

/** What is known of a spike beside its height. */
type Facts = {
  readonly input: EpochInput;
  readonly lrBefore: number | null;
  /** Columns of the loss components that carry the rise. */
  readonly moved: readonly string[];
};

/** A rise of the learning rate by more than this factor explains a spike. */
const LR_RISE = 1.5;
const MISSING = ['console log (NaN recoveries, batch size)'];

/** Why the training loss spiked; the likeliest that the rows speak for: learning rate, a new start, data, unknown. */
export const spikeCause = ({ input, lrBefore, moved }: Facts): Cause => {
  const lr = learningRate(input.row);
  if (lr !== null && lrBefore !== null && lrBefore > 0 && lr > LR_RISE * lrBefore) {
    return {
      code: 'learning_rate',
      text: 'The learning rate went up in the same epoch.',
      confidence: 0.8,
      signals: [`learning rate ${significant(lrBefore)} → ${significant(lr)}`],
      missing: MISSING,
    };
  }
  if (input.transition === 'resume' || input.transition === 'rerun') {
    return {
      code: 'resume',
      text: 'Training was started again here: the optimizer, the batch size or the augmentation may differ from before.',
      confidence: 0.6,
      signals: [`attempt ${input.row.attempt} begins at this epoch`],
      missing: MISSING,
    };
  }
  if (input.transition === 'close_mosaic') {
    return {
      code: 'close_mosaic',
      text: 'Mosaic augmentation ends at this epoch, which moves the training loss in either direction.',
      confidence: 0.8,
      signals: ['epochs − close_mosaic + 1'],
      missing: MISSING,
    };
  }
  const [only, ...others] = moved;
  if (only !== undefined && others.length === 0) {
    return {
      code: 'data',
      text: `Only ${only} rose: ${subjectOf(only)} of some batches in this epoch are the likeliest reason.`,
      confidence: 0.5,
      signals: [`${only} alone`],
      missing: MISSING,
    };
  }
  return {
    code: 'unknown',
    text: 'All components rose together with an unchanged learning rate: a few bad batches or a numerical overflow.',
    confidence: 0.2,
    signals: moved.length === 0 ? [] : [`${moved.join(', ')} rose together`],
    missing: MISSING,
  };
};

/** What to do about a spike of that cause, in order. */
export const spikeFix = (code: string): readonly string[] => {
  const steady =
    'If the loss does not come back within a few epochs, stop and restart from the weights before the spike.';
  switch (code) {
    case 'learning_rate':
      return ['Warm up longer or lower lr0 so that the rate does not jump.', steady];
    case 'resume':
      return ['Compare batch, amp and augmentation of the two attempts in args.yaml.', steady];
    case 'close_mosaic':
      return ['Nothing, if mAP holds: the loss is now measured on whole images.'];
    case 'data':
      return [
        'Look at the images and labels of the batches in this epoch: empty, shifted or mislabelled boxes.',
        steady,
      ];
    default:
      return [
        'Wait one or two epochs: single spikes usually heal.',
        'If they come again, lower lr0 by 2 to 5 times or warm up longer.',
        'Look for "NaN" in the console log; if there is any, train with amp=False or in bf16.',
        steady,
      ];
  }
};

const subjectOf = (column: string): string => {
  if (column.includes('cls')) return 'labels or class balance';
  if (/box|giou|l1|dfl|angle|theta/.test(column)) return 'box geometry';
  return 'annotations';
};
