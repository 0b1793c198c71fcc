import t from 'tap';
import { fitnessOf } from '../../src/core/fitness.ts';

t.test('the fitness of every trainer weighs mAP50 and mAP50-95 by 1 to 9, under its own names', async (t) => {
  const ultralytics = { 'metrics/mAP50(B)': 0.8, 'metrics/mAP50-95(B)': 0.5 };
  const yolov5 = { 'metrics/mAP_0.5': 0.8, 'metrics/mAP_0.5:0.95': 0.5 };
  for (const metrics of [ultralytics, yolov5]) {
    t.ok(Math.abs((fitnessOf(metrics, 'weighted') ?? 0) - 0.53) < 1e-12);
    t.equal(fitnessOf(metrics, 'map'), 0.5);
  }
});

t.test('masks and poses count beside boxes, classification by its accuracies', async (t) => {
  const segment = { 'metrics/mAP50-95(B)': 0.5, 'metrics/mAP50-95(M)': 0.25, 'train/seg_loss': 9 };
  t.equal(fitnessOf(segment, 'map'), 0.75);
  t.equal(fitnessOf(segment, 'weighted'), null, 'without mAP50 there is no weighted one');
  t.equal(fitnessOf({ 'metrics/accuracy_top1': 0.5, 'metrics/accuracy_top5': 1 }, 'map'), 0.75);
});

t.test('a row without metrics, or with one that is not finite, has no fitness', async (t) => {
  t.equal(fitnessOf({ 'train/box_loss': 1 }, 'map'), null);
  t.equal(fitnessOf({ 'metrics/mAP50(B)': 0.8, 'metrics/mAP50-95(B)': null }, 'weighted'), null);
});
