import t from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import { THROTTLE_BITS } from '../../src/core/metrics.ts';
import type { Values } from '../../src/core/sample.ts';
import { createEngine } from '../../src/rules/engine.ts';
import { stragglerGpu } from '../../src/rules/straggler-gpu.ts';
import { firedAfterS } from './gpus.ts';
import { run, START_AT } from './rows.ts';

const AT_WORK: Values = { utilization: 99, clockSm: 1410, power: 300, powerLimit: 400, memoryTotal: 80, throttle: 0 };

/** Seconds of a run on GPUs with these values (null: they are not known). */
const judged = (seconds: number, gpusAt: (second: number) => readonly Values[] | null): readonly Alert[] => {
  let ids = 0;
  const engine = createEngine({
    rules: [stragglerGpu],
    newId: () => `a${++ids}`,
    onError: (_rule, _subject, error) => {
      throw error;
    },
  });
  const alerts = new Map<string, Alert>();
  for (let second = 0; second < seconds; second++) {
    const gpus = gpusAt(second)?.map((values, index) => ({ gpu: `gpu:${index}`, values: { ...AT_WORK, ...values } }));
    const tick = { run, gpus: gpus ?? null, host: null, rowWritten: false };
    for (const alert of engine.tick(START_AT + second * 1000, [tick])) alerts.set(alert.id, alert);
  }
  return [...alerts.values()];
};

t.test(
  'one GPU of four that is clocked lower is named, with why and by how much, until it is as the others',
  async (t) => {
    const throttle = THROTTLE_BITS.sw_thermal_slowdown;
    const slow = (second: number) => (second >= 100 && second < 300 ? { clockSm: 1000, throttle } : {});
    const [alert, ...others] = judged(500, (second) => [{}, {}, slow(second), {}]);
    t.same(others, []);
    t.match(alert, {
      rule: 'straggler_gpu',
      severity: 'warning',
      subject: 'run:r1',
      gpu: 'gpu:2',
      state: 'resolved',
      problem: 'gpu:2 runs at 1000 MHz, the other GPUs of the run at 1410: 29 % less, and every step waits for it.',
      cause: { code: 'throttle', signals: ['sw_thermal_slowdown'] },
      result: 'all GPUs are clocked alike',
    });
    t.ok(alert && firedAfterS(alert) <= 100 + 70);
  },
);

t.test('of two GPUs the slower one is named; a lower power limit is given as the cause', async (t) => {
  t.match(
    judged(200, () => [{ clockSm: 1100, power: 250, powerLimit: 250 }, {}]),
    [{ gpu: 'gpu:0', cause: { code: 'power', signals: ['power limit 250 W instead of 400'] } }],
  );
});

t.test('clocks a little apart, that fall together or in a pause, or of other models, hold nobody up', async (t) => {
  t.same(
    judged(300, () => [{ clockSm: 1300 }, {}]),
    [],
  );
  t.same(
    judged(300, (second) => (second % 120 < 90 ? [{}, {}] : [{ clockSm: 700 }, { clockSm: 700 }])),
    [],
  );
  t.same(
    judged(300, (second) => (second % 60 < 30 ? [{}, {}] : [{ clockSm: 210, utilization: 0 }, {}])),
    [],
  );
  t.same(
    judged(300, () => [{ clockSm: 900, memoryTotal: 24 }, {}]),
    [],
  );
  t.same(
    judged(300, () => [{ clockSm: 900 }]),
    [],
    'nor does the only GPU',
  );
});

t.test('an open alert says since when the clocks are missing, and a pause does not end it', async (t) => {
  const at = (second: number) => {
    if (second < 200) return [{ clockSm: 900 }, {}];
    return second < 400
      ? [
          { clockSm: 210, utilization: 0 },
          { clockSm: 210, utilization: 0 },
        ]
      : null;
  };
  t.match(judged(500, at), [{ state: 'firing', noDataSince: START_AT + 400_000 }]);
});
