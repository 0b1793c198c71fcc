import t from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import type { Values } from '../../src/core/sample.ts';
import { createEngine } from '../../src/rules/engine.ts';
import { RULES } from '../../src/rules/registry.ts';
import { randomOf, START_AT } from './rows.ts';

const GIB = 2 ** 30;

/** Every second of so many minutes judged by all rules of hosts; every alert as it was left, and when it fired. */
const judged = (minutes: number, valuesAt: (second: number) => Values | null): readonly Alert[] => {
  let ids = 0;
  const engine = createEngine({
    rules: RULES,
    newId: () => `a${++ids}`,
    onError: (_rule, _subject, error) => {
      throw error;
    },
  });
  const alerts = new Map<string, Alert>();
  for (let second = 0; second < minutes * 60; second++) {
    const tick = { name: 'trainer', host: valuesAt(second), collectors: null };
    for (const alert of engine.tickHost(START_AT + second * 1000, tick)) alerts.set(alert.id, alert);
  }
  return [...alerts.values()].filter(({ firedAt }) => firedAt !== null);
};
const firedAfterS = ({ firedAt }: Alert): number => ((firedAt ?? 0) - START_AT) / 1000;

/** A machine that trains: memory and shared memory come and go, checkpoints are written and replaced. */
const healthy = (second: number, random: () => number): Values => ({
  memoryUsed: (60 + 3 * Math.sin(second / 40) + random()) * GIB,
  memoryTotal: 128 * GIB,
  shmUsed: (1 + random()) * GIB,
  shmTotal: 8 * GIB,
  diskFree: (300 - (second % 300 < 20 ? 0.2 : 0)) * GIB,
  pressureMemory: 0,
});

t.test('a healthy host is quiet for two hours, also while caches fill at the start', async (t) => {
  const random = randomOf(1);
  t.strictSame(
    judged(120, (second) => healthy(second, random)),
    [],
  );
  const warm = (second: number) => ({
    ...healthy(second, random),
    memoryUsed: (20 + 40 * (1 - Math.exp(-second / 200)) + random()) * GIB,
  });
  t.strictSame(judged(120, warm), []);
});

t.test('host memory that leaks is forecast with the time that is left', async (t) => {
  const random = randomOf(2);
  const [alert, ...others] = judged(40, (second) => ({
    ...healthy(second, random),
    memoryUsed: (60 + (second / 3600) * 30 + random()) * GIB,
  }));
  t.strictSame(others, []);
  t.match(alert, { rule: 'host_memory', severity: 'warning', subject: 'host:trainer', cause: { code: 'growth' } });
  if (alert === undefined) return;
  t.ok(firedAfterS(alert) <= 1200, `fired after ${firedAfterS(alert)} s`);
  const trueS = ((126 - 60) / 30) * 3600 - 40 * 60;
  t.ok(Math.abs((alert.forecastS ?? 0) - trueS) / trueS < 0.2, `${alert.forecastS} s left, truly ${trueS}`);
});

t.test('memory that is nearly full is critical within half a minute, under pressure already below that', async (t) => {
  const full = judged(5, (second) => ({ ...healthy(second, randomOf(3)), memoryUsed: (second < 60 ? 60 : 124) * GIB }));
  t.match(full, [{ rule: 'host_memory', severity: 'critical', title: 'Host memory is nearly full' }]);
  t.ok(full.every((alert) => firedAfterS(alert) <= 90));
  const pressed = judged(5, (second) => ({
    ...healthy(second, randomOf(3)),
    memoryUsed: 117 * GIB,
    pressureMemory: second < 60 ? 0 : 30,
  }));
  t.match(pressed, [{ rule: 'host_memory', severity: 'critical' }]);
});

t.test('the limit of our cgroup counts where it is nearer than the end of the memory', async (t) => {
  const limit = { limitMemory: 32 * GIB, limitMemoryUsed: 31.5 * GIB };
  t.match(
    judged(2, (second) => ({ ...healthy(second, randomOf(4)), ...limit })),
    [{ rule: 'host_memory', problem: /^The memory of our cgroup: 31\.5 of 32 GiB are used/ }],
  );
});

t.test('shared memory that is nearly full says what to do in a container', async (t) => {
  const [alert, ...others] = judged(3, (second) => ({ ...healthy(second, randomOf(5)), shmUsed: 7.5 * GIB }));
  t.strictSame(others, []);
  t.match(alert, { rule: 'shm_full', severity: 'critical', cause: { code: 'workers' } });
  t.match(alert?.fix[0], /--shm-size/);
});

t.test(
  'a disk that fills up is forecast, one that is nearly full is critical, and room that comes back ends it',
  async (t) => {
    const random = randomOf(6);
    const [ahead, ...others] = judged(30, (second) => ({
      ...healthy(second, random),
      diskFree: (100 - (second / 3600) * 60) * GIB,
    }));
    t.match(ahead, { rule: 'disk_full', severity: 'warning', problem: /GiB an hour are written: it is full in/ });
    t.strictSame(others, []);
    const free = (second: number) => (second < 120 ? 1 : 50);
    t.match(
      judged(8, (second) => ({ ...healthy(second, random), diskFree: free(second) * GIB })),
      [{ rule: 'disk_full', severity: 'critical', state: 'resolved', result: '50 GiB are free again.' }],
    );
  },
);

t.test('without samples, and with a hole in them, nothing is claimed', async (t) => {
  t.strictSame(
    judged(20, () => null),
    [],
  );
  const random = randomOf(7);
  const holed = judged(60, (second) => {
    if (second % 900 > 500) return null;
    return { ...healthy(second, random), memoryUsed: (40 + 10 * Math.floor(second / 900)) * GIB };
  });
  t.strictSame(holed, []);
});
