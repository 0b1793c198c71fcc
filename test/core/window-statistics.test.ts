import t from 'tap';
import { quantileOfBins, shareBelow } from '../../src/core/percent-bins.ts';
import type { Range } from '../../src/core/ports.ts';
import { createWindowAccumulator, type StretchColumns } from '../../src/core/window-statistics.ts';

type Columns = Readonly<Record<string, readonly (number | null)[]>>;

const floats = (values: readonly (number | null)[]) => Float64Array.from(values, (value) => value ?? Number.NaN);

const gather = (at: readonly number[], columns: Columns, ranges: readonly Range[], pieces = 1) => {
  const accumulator = createWindowAccumulator({ metrics: Object.keys(columns), ranges, below: 30 });
  const size = Math.ceil(at.length / pieces);
  for (let i = 0; i < at.length; i += size) {
    accumulator.addSamples(floats(at.slice(i, i + size)), (metric) => {
      const column = columns[metric];
      return column === undefined ? null : floats(column.slice(i, i + size));
    });
  }
  return accumulator.finish();
};

/** Every second from 0 on. */
const seconds = (count: number) => Array.from({ length: count }, (_, i) => i * 1000);
const always = (value: number, count: number) => new Array<number>(count).fill(value);

t.test('a window holds the values from its start to just before its end, with exact percentiles', async (t) => {
  const utilization = Array.from({ length: 100 }, (_, i) => i);
  const found = gather(seconds(100), { utilization }, [{ from: 10_000, to: 21_000 }]);
  t.same(found.metrics.utilization, { avg: 15, min: 10, max: 20, p5: 10.5, p50: 15, p95: 19.5, count: 11 });
  t.notOk(found.approximate);
});

t.test('seconds below and seconds lost count the time until the next sample', async (t) => {
  const found = gather(seconds(10), { utilization: [100, 100, 20, 20, 29, 30, 100, 100, 100, 100] }, [
    { from: 0, to: 10_000 },
  ]);
  t.equal(found.secondsBelow, 3);
  t.equal(Number(found.secondsLost?.toFixed(9)), 0.8 + 0.8 + 0.71 + 0.7);
  t.equal(found.coverage, 1);
});

t.test('a window that begins between two samples has its part of the sample before', async (t) => {
  const found = gather([0, 10_000, 20_000, 30_000], { utilization: [0, 100, 100, 0] }, [{ from: 4000, to: 31_000 }]);
  t.equal(found.secondsBelow, 6 + 1);
  t.equal(found.coverage, 1);
});

t.test('a gap is covered by nothing: what was before it reaches three times the usual distance', async (t) => {
  const at = [...seconds(60), ...seconds(60).map((moment) => moment + 140_000)];
  const found = gather(at, { utilization: always(10, 120), power: always(100, 120) }, [{ from: 0, to: 200_000 }]);
  t.equal(found.secondsBelow, 59 + 3 + 60);
  t.equal(found.coverage, (59 + 3 + 60) / 200);
  t.equal(found.energyWh, (100 * (59 + 59)) / 3600, 'no energy is made up for the gap');
});

t.test('a logger that looks every 5 minutes covers 90 s of each', async (t) => {
  const found = gather([0, 300_000, 600_000], { utilization: [5, 5, 5] }, [{ from: 0, to: 900_000 }]);
  t.equal(found.secondsBelow, 270);
  t.equal(found.coverage, 0.3);
});

t.test('energy comes from the counter, also over its reset, and from power where there is no counter', async (t) => {
  const ranges = [{ from: 0, to: 5000 }];
  const power = [100, 100, 100, 100, 100, 100];
  const counted = gather(seconds(6), { power, energy: [3600, 7200, 10_800, 1800, 5400, 9000] }, ranges);
  t.equal(counted.energyWh, 1 + 1 + 0.5 + 1 + 1);
  const halfCounted = gather(seconds(6), { power, energy: [0, 3600, 7200, null, null, null] }, ranges);
  t.equal(halfCounted.energyWh, 2 + 300 / 3600);
  t.equal(gather(seconds(3), { power: [0, 200, 0] }, [{ from: 500, to: 1500 }]).energyWh, 150 / 3600, 'a trapezoid');
  t.equal(gather(seconds(3), { utilization: [1, 2, 3] }, ranges).energyWh, null);
});

t.test('windows side by side come to the same as the one over both, however the samples come in pieces', async (t) => {
  const at = Array.from({ length: 500 }, (_, i) => i * 1000 + ((i * 7919) % 400));
  const columns = {
    utilization: at.map((_, i) => (i * 37) % 101),
    power: at.map((_, i) => 100 + ((i * 53) % 200)),
  };
  const whole = gather(at, columns, [{ from: 0, to: 500_000 }]);
  const parts = [
    [{ from: 0, to: 123_456 }],
    [
      { from: 123_456, to: 200_001 },
      { from: 377_777, to: 500_000 },
    ],
    [{ from: 200_001, to: 377_777 }],
  ].map((ranges) => gather(at, columns, ranges, 7));
  for (const key of ['secondsBelow', 'secondsLost', 'energyWh'] as const) {
    const sum = parts.reduce((total, part) => total + (part[key] ?? Number.NaN), 0);
    t.ok(Math.abs(sum - (whole[key] ?? 0)) < 1e-6, key);
  }
  t.equal(
    parts.reduce((total, { metrics }) => total + (metrics.utilization?.count ?? 0), 0),
    500,
  );
  t.same(gather(at, columns, [{ from: 0, to: 500_000 }], 13), whole);
});

t.test('what is not known is null, never 0', async (t) => {
  const nothing = { avg: null, min: null, max: null, p5: null, p50: null, p95: null, count: 0 };
  t.same(gather([], { utilization: [] }, [{ from: 0, to: 1000 }]), {
    metrics: { utilization: nothing },
    secondsBelow: null,
    secondsLost: null,
    energyWh: null,
    coverage: 0,
  });
  const lost = gather(
    seconds(5),
    { utilization: [null, null, null, null, null], temperature: [50, null, 52, 53, 54] },
    [{ from: 0, to: 5000 }],
  );
  t.equal(lost.secondsBelow, null);
  t.equal(lost.coverage, 4 / 5, 'a row without any value stands for nothing');
  t.equal(gather(seconds(5), { utilization: always(1, 5) }, [{ from: 1000, to: 1000 }]).coverage, null);
});

/** Stretches of a minute with these values in each. */
const minutes = (stretches: readonly (readonly number[])[], withBins: boolean): StretchColumns => ({
  start: Float64Array.from(stretches, (_, i) => i * 60_000),
  count: Float64Array.from(stretches, (values) => values.length),
  sum: Float64Array.from(stretches, (values) => values.reduce((a, b) => a + b, 0)),
  min: Float64Array.from(stretches, (values) => (values.length === 0 ? Number.NaN : Math.min(...values))),
  max: Float64Array.from(stretches, (values) => (values.length === 0 ? Number.NaN : Math.max(...values))),
  increase: null,
  bins: withBins
    ? Array.from({ length: 21 }, (_, bin) =>
        Float64Array.from(stretches, (values) => values.filter((value) => Math.floor(value / 5) === bin).length),
      )
    : null,
});

t.test('where the samples are gone, rollups answer, and say that it is approximate', async (t) => {
  const utilization = minutes([always(10, 60), always(90, 60), always(90, 30), []], true);
  const power = minutes([always(100, 60), always(300, 60), always(300, 30), []], false);
  const accumulator = createWindowAccumulator({
    metrics: ['utilization', 'power'],
    ranges: [{ from: 0, to: 240_000 }],
    below: 30,
  });
  accumulator.addStretches(60_000, (metric) => ({ utilization, power })[metric] ?? null);
  const found = accumulator.finish();
  t.equal(found.approximate, true);
  t.equal(found.metrics.utilization?.avg, (10 * 60 + 90 * 90) / 150);
  t.equal(found.metrics.utilization?.min, 10);
  t.ok(Math.abs((found.metrics.utilization?.p50 ?? 0) - 90) < 5);
  t.equal(found.metrics.power?.p50, null, 'no bins, no percentile');
  t.equal(found.secondsBelow, 60);
  t.equal(found.coverage, (60 + 60 + 30) / 240, 'half the samples stand for half the minute');
  t.equal(found.energyWh, (100 * 60 + 300 * 90) / 3600);
});

t.test('a window half of samples and half of rollups counts each once', async (t) => {
  const accumulator = createWindowAccumulator({
    metrics: ['utilization'],
    ranges: [{ from: 0, to: 120_000 }],
    below: 30,
  });
  accumulator.addStretches(60_000, () => minutes([always(10, 60)], true));
  const at = seconds(60).map((moment) => moment + 60_000);
  accumulator.addSamples(floats(at), (metric) => (metric === 'utilization' ? floats(always(50, 60)) : null));
  const found = accumulator.finish();
  t.equal(found.metrics.utilization?.count, 120);
  t.equal(found.metrics.utilization?.avg, 30);
  t.equal(found.secondsBelow, 60);
  t.equal(found.coverage, 1);
});

t.test('a quantile from bins is within the width of a bin, and shares are cut where the limit cuts', async (t) => {
  const values = Array.from({ length: 1000 }, (_, i) => (i * 101) / 1000);
  const bins = Array.from({ length: 21 }, (_, bin) => values.filter((value) => Math.floor(value / 5) === bin).length);
  for (const q of [0, 0.05, 0.5, 0.95, 1]) t.ok(Math.abs(quantileOfBins(bins, q) - q * 101) <= 5, String(q));
  t.ok(Math.abs(shareBelow(bins, 33) - 33 / 101) < 0.01);
  t.equal(shareBelow(bins, 0), 0);
  t.ok(Number.isNaN(quantileOfBins(new Array(21).fill(0), 0.5)));
});
