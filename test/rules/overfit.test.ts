import t from 'tap';
import { overfit } from '../../src/rules/overfit.ts';
import { breachesOf, rowsOf, type Told } from './rows.ts';

const rising =
  (more: (epoch: number) => Told = () => ({})) =>
  (epoch: number): Told => ({
    val: epoch > 40 ? 1 + 0.012 * (epoch - 40) : 1,
    ...more(epoch),
  });

t.test('a validation loss that rises while the training loss falls and mAP gains nothing is overfitting', async (t) => {
  const breaches = breachesOf(overfit, 'overfit', rowsOf(1, 70, rising()));
  t.ok(breaches.length > 4);
  const [first] = breaches;
  t.match(first, { severity: 'warning', cause: { code: 'overfitting' }, hold: { evaluations: 4 } });
  t.match(
    first?.problem,
    /^The validation loss is \d+(\.\d+)? % above its best of epoch \d+ and rises steadily, while the training loss does not/,
  );
  t.ok((first?.epochs?.[1] ?? 0) < 62, `first seen at epoch ${first?.epochs?.[1]}`);
  t.strictSame(breachesOf(overfit, 'drift', rowsOf(1, 70, rising())), []);
});

t.test('while mAP50-95 still improves it is only noted', async (t) => {
  const rows = rowsOf(
    1,
    70,
    rising((epoch) => ({ strict: 0.3 + 0.002 * epoch })),
  );
  t.strictSame(breachesOf(overfit, 'overfit', rows), []);
  t.match(breachesOf(overfit, 'drift', rows)[0], { severity: 'info', cause: { code: 'confidence_drift' } });
});

t.test('bursts of the validation loss are none', async (t) => {
  const rows = rowsOf(1, 90, (epoch) => ({ val: epoch % 15 < 2 ? 1.4 : 1 }));
  t.strictSame(breachesOf(overfit, 'overfit', rows), []);
});

t.test('when both losses rise it is another trouble', async (t) => {
  const rows = rowsOf(
    1,
    70,
    rising((epoch) => ({ loss: epoch > 40 ? 1 + 0.02 * (epoch - 40) : 1 })),
  );
  t.strictSame(breachesOf(overfit, 'overfit', rows), []);
});
