import t from 'tap';
import { divergence } from '../../src/rules/divergence.ts';
import { breachesOf, breachOf, rowsOf, type Told, verdictsOf } from './rows.ts';

const climbing =
  (from: number, growth: number) =>
  (epoch: number): Told =>
    epoch > from ? { loss: growth ** (epoch - from) } : {};

t.test('a loss that climbs away from its best is divergence, with the epochs that were lost', async (t) => {
  const verdicts = verdictsOf(divergence, 'climb', rowsOf(1, 36, climbing(30, 1.08)));
  const breach = breachOf(verdicts.at(-1));
  t.equal(breach.severity, 'warning');
  t.match(
    breach.problem,
    /^The training loss is \d+(\.\d)? % above its best of 1\.\d+ at epoch (29|30|31) and still rises, by 7\.\d+ % an epoch\.$/,
  );
  t.match(breach.evidence, [{}, {}, {}, { name: 'epochs since the best', value: 36 - Number(breach.epochs?.[0]) }, {}]);
  t.match(breach.fix[1], /3 to 10 times lower/);
});

t.test('far above its best it is critical, and two rows are enough', async (t) => {
  const breach = breachOf(verdictsOf(divergence, 'climb', rowsOf(1, 33, climbing(30, 1.4))).at(-1));
  t.match(breach, { severity: 'critical' });
});

t.test('a spike of one row, and a new level that stands still, are none', async (t) => {
  const spike = verdictsOf(
    divergence,
    'climb',
    rowsOf(1, 40, (epoch) => (epoch === 30 ? { loss: 1.8 } : {})),
  );
  t.ok(spike.slice(31).every((verdict) => verdict?.kind !== 'breach'));
  const level = verdictsOf(
    divergence,
    'climb',
    rowsOf(1, 60, (epoch) => (epoch >= 30 ? { loss: 1.3 } : {})),
  );
  t.ok(level.slice(34).every((verdict) => verdict?.kind !== 'breach'));
});

t.test('a resume begins with a best of its own', async (t) => {
  const rows = rowsOf(1, 40, (epoch) => (epoch >= 21 ? { attempt: 2, loss: 1.5 } : {}));
  t.strictSame(breachesOf(divergence, 'climb', rows), []);
});
