import t from 'tap';
import { plateau } from '../../src/rules/plateau.ts';
import { breachesOf, rowAt, rowsOf } from './rows.ts';

/** The factor that turns the ordinary power law into a loss that stands still after an epoch. */
const flatAfter = (last: number) => (epoch: number) =>
  epoch <= last ? {} : { loss: (1 + 2 * last ** -0.4) / (1 + 2 * epoch ** -0.4), map: 0.6 };

t.test(
  'a loss that stands still at a high learning rate is a plateau, against what its own course promised',
  async (t) => {
    const [first, ...more] = breachesOf(plateau, 'flat', rowsOf(1, 70, flatAfter(20)));
    t.ok(more.length >= 5);
    t.match(first, { severity: 'warning', title: 'Training stands still', cause: { code: 'learning_rate' } });
    t.match(
      first?.problem,
      /^The training loss improved by [0-9.]+ % in epochs \d+ to \d+, where the run's own course promised [0-9.]+ %/,
    );
  },
);

t.test('the same at a low learning rate, or near the end, is none', async (t) => {
  const rows = rowsOf(1, 75, (epoch) => ({ ...flatAfter(20)(epoch), lr: epoch <= 20 ? 0.01 : 0.002 }));
  t.strictSame(breachesOf(plateau, 'flat', rows), []);
  const late = breachesOf(plateau, 'flat', rowsOf(1, 100, flatAfter(72)));
  t.ok(late.every(({ epochs }) => (epochs?.[1] ?? 0) <= 80));
});

t.test('a run that learned nothing in fifteen epochs is told of', async (t) => {
  const rows = rowsOf(1, 20, (epoch) => ({ map: 0.001, loss: 3 / (1 + 2 * epoch ** -0.4) }));
  t.match(breachesOf(plateau, 'flat', rows)[0], { title: 'The model does not learn', epochs: [1, 15] });
});

t.test('a run without validation is not accused of not learning', async (t) => {
  const rows = rowsOf(1, 20).map((row) => ({
    ...row,
    metrics: { 'train/box_loss': rowAt(1).metrics['train/box_loss'] ?? 1 },
  }));
  t.strictSame(breachesOf(plateau, 'flat', rows), []);
});
