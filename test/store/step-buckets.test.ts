import Database from 'better-sqlite3';
import t from 'tap';
import type { Step } from '../../src/core/output.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createReadSteps } from '../../src/store/step-buckets.ts';
import { createSteps } from '../../src/store/steps.ts';
import { MIGRATIONS, T0 } from './open-store.ts';

const MINUTE = 60_000;

const step = (batch: number, at: number | null, change: Partial<Step> = {}): Step => ({
  attempt: 1,
  epoch: 1,
  batch,
  batches: null,
  at,
  loss: { box_loss: 1 },
  lossOver: 1,
  dataS: null,
  stepS: 0.25,
  reservedMib: 28_000,
  ...change,
});

const read = (steps: readonly Step[], { checkEnd = () => {} } = {}) => {
  const db = new Database(':memory:');
  migrate(db, MIGRATIONS);
  createSteps(db).put('r1', steps);
  createSteps(db).put('r2', [step(1, T0, { loss: { other: 9 } })]);
  const from = Math.floor(T0 / MINUTE) * MINUTE;
  return createReadSteps(db)({ run: 'r1', from, to: from + 5 * MINUTE, stepMs: MINUTE }, checkEnd);
};

t.test('a loss that shot up in one step is seen in the bucket of its minute', async (t) => {
  const start = Math.floor(T0 / MINUTE) * MINUTE;
  const steps = Array.from({ length: 300 }, (_, n) =>
    step(n, start + n * 500, n === 130 ? { loss: { box_loss: 1000 } } : {}),
  );
  const { t: moments, metrics } = read(steps);
  t.same(
    moments,
    [0, 1, 2, 3, 4].map((n) => start + n * MINUTE),
  );
  t.same(metrics['loss.box_loss'], {
    avg: [1, (119 + 1000) / 120, 1, null, null],
    min: [1, 1, 1, null, null],
    max: [1, 1000, 1, null, null],
    count: [120, 120, 60, 0, 0],
  });
  t.same(metrics.stepS?.avg, [0.25, 0.25, 0.25, null, null]);
  t.same(metrics.dataS?.count, [0, 0, 0, 0, 0], 'what was never told is nothing, not 0');
  t.same(Object.keys(metrics), ['stepS', 'dataS', 'reservedMib', 'loss.box_loss'], 'and nothing of another run');
});

t.test('what is not finite, and a step without a moment, count nowhere', async (t) => {
  const { metrics } = read([
    step(1, T0, { loss: { box_loss: null, cls_loss: 2 }, nonFinite: { box_loss: 'nan' } }),
    step(2, null, { loss: { box_loss: 7 } }),
    step(3, T0 + 10 * MINUTE, { loss: { box_loss: 8 } }),
  ]);
  t.same(metrics['loss.box_loss']?.count, [0, 0, 0, 0, 0]);
  t.same(metrics['loss.cls_loss']?.avg, [2, null, null, null, null]);
});

t.test('a trainer that names a loss anew in each step fills nobody’s memory', async (t) => {
  const { metrics } = read(Array.from({ length: 500 }, (_, n) => step(n, T0, { loss: { [`__proto__${n}`]: n } })));
  t.equal(Object.keys(metrics).filter((name) => name.startsWith('loss.')).length, 64);
});

t.test('a long read ends when nobody waits for it any more', async (t) => {
  const many = Array.from({ length: 2500 }, (_, n) => step(n, T0));
  const gone = () => {
    throw new Error('nobody waits');
  };
  t.throws(() => read(many, { checkEnd: gone }), { message: 'nobody waits' });
});
