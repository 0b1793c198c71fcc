import t from 'tap';
import { mapCollapse } from '../../src/rules/map-collapse.ts';
import { breachOf, rowsOf, type Told, verdictsOf } from './rows.ts';

const kinds = (verdicts: readonly ({ kind: string } | undefined)[]) => verdicts.map((verdict) => verdict?.kind);
const fallsAt =
  (epochs: readonly number[], map: number, more: Told = {}) =>
  (epoch: number): Told =>
    epochs.includes(epoch) ? { map, ...more } : {};

t.test('mAP that falls by more than a quarter has collapsed, and is over when it is back', async (t) => {
  const verdicts = verdictsOf(mapCollapse, 'fall', rowsOf(1, 42, fallsAt([40], 0.45)));
  const breach = breachOf(verdicts[39]);
  t.equal(breach.severity, 'warning');
  t.match(breach.problem, /^mAP50 fell to 0\.45 at epoch 40, 41 % below the 0\.763 of the epochs before\.$/);
  t.strictSame(kinds(verdicts.slice(38)), ['clear', 'breach', 'clear', 'clear']);
});

t.test('more than half of it is critical', async (t) => {
  t.equal(breachOf(verdictsOf(mapCollapse, 'fall', rowsOf(1, 40, fallsAt([40], 0.1))).at(-1)).severity, 'critical');
});

t.test('the dip of the first epochs and the rows after a resume are noted', async (t) => {
  const early = rowsOf(1, 8, (epoch) => ({ map: epoch === 8 ? 0.2 : 0.6 }));
  t.equal(breachOf(verdictsOf(mapCollapse, 'fall', early).at(-1)).severity, 'info');
  const resumed = rowsOf(1, 40, (epoch) => (epoch === 40 ? { attempt: 2, map: 0.2 } : {}));
  t.match(breachOf(verdictsOf(mapCollapse, 'fall', resumed).at(-1)), { severity: 'info', cause: { code: 'resume' } });
});

t.test(
  'a loss that is not finite in the same row, or a jump of the learning rate, is named as the cause',
  async (t) => {
    const overflow = rowsOf(1, 40, fallsAt([40], 0.1, { nonFinite: { 'val/box_loss': 'nan' } }));
    t.match(breachOf(verdictsOf(mapCollapse, 'fall', overflow).at(-1)).cause, {
      code: 'not_finite',
      signals: ['val/box_loss'],
    });
    const jump = rowsOf(1, 40, fallsAt([40], 0.1, { lr: 0.1 }));
    t.match(breachOf(verdictsOf(mapCollapse, 'fall', jump).at(-1)).cause, { code: 'learning_rate' });
  },
);

t.test('twenty low rows are its new level', async (t) => {
  const verdicts = verdictsOf(
    mapCollapse,
    'fall',
    rowsOf(1, 70, (epoch) => (epoch >= 40 ? { map: 0.3 } : {})),
  );
  t.match(verdicts[58], { kind: 'clear', result: /stayed low/ });
  t.notOk(kinds(verdicts.slice(59)).includes('breach'));
});
