import type { EpochRow } from '../../../src/core/run.ts';
import { mean, median, sum } from '../../../src/core/statistics.ts';
import { countingLatch, type Latch } from './latch.ts';
import type { Raised } from './raised.ts';

/** A row as these rules see it; a loss that is not finite makes its total NaN. */
type Row = {
  readonly epoch: number;
  readonly train: number;
  readonly val: number;
  readonly map50: number;
  readonly lr: number;
  readonly elapsedS: number;
  readonly broken: boolean;
};

type Judge = (rule: string, bad: boolean, good?: boolean) => void;

/** Set A (RULES 5): what people write first, fixed thresholds and the defaults of SageMaker Debugger. */
export const playFirstRows = (rows: readonly EpochRow[]): readonly Raised[] =>
  play(rows, () => countingLatch(1, 1), judgeFirst);

/** Set C (RULES 5): careful hand rules with medians, patience and hysteresis, but still fixed thresholds. */
export const playCarefulRows = (rows: readonly EpochRow[]): readonly Raised[] =>
  play(rows, (rule) => (PATIENCE[rule] ?? (() => countingLatch(1, 1)))(), judgeCareful);

const PATIENCE: Readonly<Record<string, () => Latch>> = {
  loss_nan: () => countingLatch(1, 3),
  loss_spike: () => countingLatch(1, 2, 3),
  divergence: () => countingLatch(3, 5),
  overfit: () => countingLatch(5, 5, 10),
  map_collapse: () => countingLatch(1, 3, 3),
  map_oscillation: () => countingLatch(2, 5, 10),
  plateau: () => countingLatch(1, 5, 10),
  lr_anomaly: () => countingLatch(1, 5, 5),
  throughput_drop: () => countingLatch(2, 3, 3),
};

const play = (
  rows: readonly EpochRow[],
  latchOf: (rule: string) => Latch,
  judgeRow: (row: Row, before: readonly Row[], judge: Judge) => void,
): readonly Raised[] => {
  const latches = new Map<string, Latch>();
  const raised: Raised[] = [];
  const seen = rows.map(readRow);
  for (const [i, row] of seen.entries()) {
    judgeRow(row, seen.slice(0, i), (rule, bad, good = !bad) => {
      const latch = latches.get(rule) ?? latchOf(rule);
      latches.set(rule, latch);
      if (latch(row.epoch, bad, good)) raised.push({ rule, at: i + 1, cause: null, leftS: null });
    });
  }
  return raised;
};

const judgeFirst = (row: Row, before: readonly Row[], judge: Judge): void => {
  const { epoch, train, val, lr, broken } = row;
  judge('loss_nan', broken);
  const losses = before.map((one) => one.train);
  const maps = [...before, row].map((one) => one.map50);
  const [oneAgo = Number.NaN, twoAgo = Number.NaN, threeAgo = Number.NaN] = losses.slice(-3).reverse();
  if (losses.length >= 3 && !broken) {
    const { center, deviation } = spreadOf(losses.slice(-10).filter(Number.isFinite));
    judge('loss_spike', train > center + 3 * deviation);
    judge('divergence', train > oneAgo && oneAgo > twoAgo && twoAgo > threeAgo);
  }
  if (losses.length >= 10 && epoch % 10 === 0 && !broken) {
    judge('plateau', !(train < (losses.at(-10) ?? Number.NaN)));
  }
  if (!broken) judge('overfit', val - train > 0.1 * train);
  if (maps.length >= 10) judge('map_oscillation', spreadOf(maps.slice(-10)).deviation > 0.01);
  const last = before.at(-1);
  if (!last) return;
  judge('map_collapse', row.map50 < 0.9 * last.map50);
  judge('lr_anomaly', lr === 0 || (last.lr > 0 && lr / last.lr > 1.5) || (epoch > 5 && lr === last.lr));
  const lengths = lengthsOf(before);
  if (lengths.length >= 2) judge('throughput_drop', row.elapsedS - last.elapsedS > 1.3 * mean(lengths));
};

const judgeCareful = (row: Row, before: readonly Row[], judge: Judge): void => {
  const { epoch, train, val, lr, broken } = row;
  judge('loss_nan', broken);
  const losses = before.map((one) => one.train).filter(Number.isFinite);
  if (epoch > 5 && losses.length >= 5 && !broken) {
    const usual = median(losses.slice(-5));
    judge('loss_spike', train > 1.15 * usual, train < 1.08 * usual);
    const best = Math.min(...losses);
    judge('divergence', train > 1.25 * best, train < 1.1 * best);
    const bestVal = Math.min(...before.map((one) => one.val).filter(Number.isFinite));
    judge('overfit', val > 1.1 * bestVal, val < 1.05 * bestVal);
  }
  const maps = [...before, row].map((one) => one.map50);
  if (epoch > 10) {
    const usual = median(maps.slice(-6, -1));
    judge('map_collapse', row.map50 < 0.7 * usual && usual > 0.1, row.map50 > 0.9 * usual);
    const changes = differences(maps.slice(-11));
    const turns = changes.slice(1).filter((change, i) => change * (changes[i] ?? 0) < 0).length;
    judge('map_oscillation', turns >= 7 && median(changes.map(Math.abs)) > 0.01, turns < 5);
  }
  if (maps.length > 40) {
    const [late, early] = [Math.max(...maps.slice(-30)), Math.max(...maps.slice(0, -30))];
    judge('plateau', late <= early + 0.002, late > early + 0.004);
  }
  const last = before.at(-1);
  if (!last) return;
  judge('lr_anomaly', epoch > 5 && (lr === 0 || (last.lr > 0 && lr / last.lr > 2)));
  const lengths = lengthsOf(before.slice(-15));
  if (lengths.length < 5) return;
  const tookS = row.elapsedS - last.elapsedS;
  judge('throughput_drop', tookS > 1.3 * median(lengths), tookS < 1.15 * median(lengths));
};

const readRow = ({ epoch, elapsedS, metrics, nonFinite }: EpochRow): Row => {
  const total = (prefix: string) =>
    sum(
      Object.entries(metrics)
        .filter(([name]) => name.startsWith(prefix))
        .map(([, value]) => value ?? Number.NaN),
    );
  return {
    ...{ epoch, train: total('train/'), val: total('val/'), map50: metrics['metrics/mAP50(B)'] ?? 0 },
    ...{ lr: metrics['lr/pg0'] ?? Number.NaN, elapsedS: elapsedS ?? Number.NaN, broken: nonFinite !== undefined },
  };
};

const spreadOf = (values: readonly number[]) => {
  const center = values.length > 0 ? mean(values) : 0;
  const deviation = Math.sqrt(sum(values.map((value) => (value - center) ** 2)) / Math.max(1, values.length));
  return { center, deviation };
};

const differences = (values: readonly number[]): readonly number[] =>
  values.slice(1).map((value, i) => value - (values[i] ?? value));

const lengthsOf = (rows: readonly Row[]): readonly number[] => differences(rows.map((row) => row.elapsedS));
