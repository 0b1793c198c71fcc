import type { RunContext } from './rule.ts';
import { numeric, plannedEpochs } from './transitions.ts';

/**
 * The lowest and the highest share of its peak that Ultralytics' schedule may give the learning rate in the row of an
 * epoch (1-based) after warm-up; null where the arguments do not say. Versions write the rate before or after the
 * scheduler's step, and YOLOv5's scheduler runs one epoch behind, so three neighbouring steps are right.
 * Source: ultralytics/engine/trainer.py `_setup_scheduler`, ultralytics/utils/torch_utils.py `one_cycle`, yolov5/train.py.
 */
export const scheduledShares = (run: RunContext, index: number): readonly [number, number] | null => {
  const epochs = plannedEpochs(run);
  const lrf = numeric(run, 'lrf');
  if (epochs === null || epochs <= 0 || lrf === null || lrf <= 0) return null;
  const shareAt = (passed: number): number => {
    if (run.args?.cos_lr === true) return ((1 - Math.cos((passed / epochs) * Math.PI)) / 2) * (lrf - 1) + 1;
    return Math.max(1 - passed / epochs, 0) * (1 - lrf) + lrf;
  };
  const shares = [index - 2, index - 1, index].map((passed) => shareAt(Math.max(0, Math.min(epochs, passed))));
  return [Math.min(...shares), Math.max(...shares)];
};

/** The peak that the arguments name; null where the trainer chooses it itself (`optimizer=auto`) or nobody says. */
export const namedPeak = (run: RunContext): number | null => {
  const optimizer = run.args?.optimizer;
  return typeof optimizer === 'string' && optimizer.toLowerCase() === 'auto' ? null : numeric(run, 'lr0');
};

/** Epochs until the schedule alone speaks. Ultralytics warms up for 3 unless told otherwise. */
export const warmupEpochs = (run: RunContext): number => numeric(run, 'warmup_epochs') ?? 3;
