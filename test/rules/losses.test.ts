import t from 'tap';
import type { EpochRow } from '../../src/core/run.ts';
import { accuracy, learningRate, trainTotal, valTotal } from '../../src/rules/losses.ts';
import { rowAt } from './rows.ts';

const row = (metrics: EpochRow['metrics']): EpochRow => ({ ...rowAt(1), metrics });

t.test('losses add up by prefix, whatever their names', async (t) => {
  const pose = row({ 'train/box_loss': 1, 'train/pose_loss': 2, 'train/rle_loss': -0.5, 'val/box_loss': 4 });
  t.equal(trainTotal(pose), 2.5);
  t.equal(valTotal(pose), 4);
});

t.test('a total that is missing, not finite or not above zero is not known', async (t) => {
  t.equal(trainTotal(row({ 'metrics/mAP50(B)': 0.4 })), null);
  t.equal(trainTotal(row({ 'train/box_loss': 1, 'train/cls_loss': null })), null);
  t.equal(valTotal(row({ 'val/box_loss': 0, 'val/cls_loss': 0 })), null);
});

t.test('mAP50 is found in every family of files, and top-1 accuracy for a classifier', async (t) => {
  t.equal(accuracy(row({ 'metrics/mAP50-95(B)': 0.3, 'metrics/mAP50(B)': 0.5, 'metrics/mAP50(M)': 0.4 })), 0.5);
  t.equal(accuracy(row({ 'metrics/mAP_0.5:0.95': 0.3, 'metrics/mAP_0.5': 0.6 })), 0.6);
  t.equal(accuracy(row({ 'metrics/accuracy_top1': 0.9, 'metrics/accuracy_top5': 1 })), 0.9);
  t.equal(accuracy(row({ 'metrics/precision(B)': 0.9 })), null);
});

t.test('the learning rate is that of the first group, under either name', async (t) => {
  t.equal(learningRate(row({ 'lr/pg0': 0.01, 'lr/pg1': 0.02 })), 0.01);
  t.equal(learningRate(row({ 'x/lr0': 0.1, 'x/lr1': 0.02 })), 0.1);
  t.equal(learningRate(row({})), null);
});
