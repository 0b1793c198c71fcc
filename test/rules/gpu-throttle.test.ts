import t from 'tap';
import { THROTTLE_BITS } from '../../src/core/metrics.ts';
import { firedAfterS, judgeGpu } from './gpus.ts';
import { run } from './rows.ts';

const { sw_power_cap, hw_slowdown, sw_thermal_slowdown, hw_thermal_slowdown, hw_power_brake_slowdown } = THROTTLE_BITS;
/** A GPU of a run at work, at its power cap as under any full load. */
const at = (clockSm: number, throttle: number | null, utilization = 95) => ({
  run,
  values: { utilization, clockSm, throttle, temperature: 84, power: 300, powerLimit: 400, memoryUsed: 1, runMemory: 1 },
});
const FREE = at(1410, sw_power_cap);

t.test('the power cap of a full load, and bits that flicker, are nothing', async (t) => {
  t.same(judgeGpu(600, () => FREE).changes, []);
  t.same(
    judgeGpu(600, (second) => (second % 10 === 0 ? at(900, hw_slowdown) : FREE)).fired,
    [],
    'a change of state reports a slowdown too',
  );
  t.same(judgeGpu(600, () => at(1410, null)).changes, [], 'nor is a GPU that does not say');
});

t.test('heat is a warning with its cost, until the GPU has worked freely for a minute', async (t) => {
  const { fired } = judgeGpu(600, (second) =>
    second >= 200 && second < 400 ? at(1000, second % 2 ? sw_thermal_slowdown : sw_power_cap) : FREE,
  );
  t.match(fired, [
    {
      rule: 'gpu_throttle',
      severity: 'warning',
      subject: 'gpu:0',
      run: 'r1',
      state: 'resolved',
      problem:
        /^The driver has slowed gpu:0 down because of heat for .* of the last 60 s: 1000 MHz instead of 1410, 29 % less\.$/,
      cause: { code: 'thermal', signals: ['thermal slowdown', '84 °C'] },
      result: 'gpu:0 is slowed down no more',
    },
  ]);
  t.ok(fired[0] && firedAfterS(fired[0]) <= 200 + 55);
  t.match(fired[0]?.evidence[0], { name: 'SM clock', value: 1000, expected: 1410 });
});

t.test('heat that costs no clock is nothing', async (t) => {
  const hot = at(1400, sw_thermal_slowdown);
  t.same(judgeGpu(600, (second) => (second < 200 ? FREE : hot)).fired, []);
});

t.test('a brake of the hardware is critical within half a minute, with its cause', async (t) => {
  for (const [bits, code] of [
    [hw_slowdown | hw_power_brake_slowdown, 'hw'],
    [hw_slowdown | hw_thermal_slowdown, 'thermal'],
  ] as const) {
    const { fired } = judgeGpu(300, (second) => (second < 200 ? FREE : at(600, bits)));
    t.match(fired, [{ severity: 'critical', state: 'firing', cause: { code } }]);
    t.ok(fired[0] && firedAfterS(fired[0]) <= 232);
  }
});

t.test('between two epochs, or without samples, a slowed GPU is not taken for a free one', async (t) => {
  const idle = at(210, 1, 0);
  const { fired } = judgeGpu(600, (second) => {
    if (second < 100) return FREE;
    if (second < 200) return at(600, hw_power_brake_slowdown);
    return second < 500 ? idle : { run, values: null };
  });
  t.match(fired, [{ state: 'firing' }]);
  t.not(fired[0]?.noDataSince, null);
  const left = judgeGpu(600, (second) => {
    if (second < 100) return FREE;
    return second < 200 ? at(600, hw_power_brake_slowdown) : { ...idle, run: null };
  });
  t.match(left.fired, [{ state: 'resolved' }], 'but it is over when nobody trains on it');
});

t.test('a power limit that was lowered is noted when it costs a fifth of the clock for two minutes', async (t) => {
  const { fired } = judgeGpu(900, (second) => (second < 200 || second > 700 ? FREE : at(1000, sw_power_cap)));
  t.match(fired, [{ severity: 'info', state: 'resolved', cause: { code: 'power' } }]);
  t.equal(fired[0] && firedAfterS(fired[0]), 320);
  t.same(judgeGpu(900, (second) => (second < 200 ? FREE : at(1200, sw_power_cap))).fired, []);
});

t.test('the clock of another run is not held against this one', async (t) => {
  const other = { ...at(1000, sw_thermal_slowdown), run: { ...run, id: 'r2' } };
  t.same(judgeGpu(600, (second) => (second < 200 ? FREE : other)).fired, []);
});
