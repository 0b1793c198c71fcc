import t from 'tap';
import { lossNan } from '../../src/rules/loss-nan.ts';
import { breachOf, rowAt, rowsOf, run, verdictsOf } from './rows.ts';

const verdictAt = (row: ReturnType<typeof rowAt>, context = run) => verdictsOf(lossNan, 'loss', [row], context)[0];

t.test('a training loss that is NaN is critical at once, at whatever epoch', async (t) => {
  const breach = breachOf(verdictAt(rowAt(1, { nonFinite: { 'train/box_loss': 'nan', 'val/box_loss': 'nan' } })));
  t.equal(breach.severity, 'critical');
  t.match(breach.problem, /^Not finite at epoch 1: train\/box_loss; /);
  t.match(breach.evidence, [{ name: 'train/box_loss', value: 'nan', expected: 'a finite number' }]);
  t.match(breach.cause, { code: 'unknown', missing: ['console log (recoveries from NaN)'] });
});

t.test('mixed precision is named as the likely cause where the arguments say that it is on', async (t) => {
  const context = { ...run, args: { ...run.args, amp: true } };
  const breach = breachOf(verdictAt(rowAt(9, { nonFinite: { 'train/cls_loss': 'inf' } }), context));
  t.match(breach.cause, { code: 'mixed_precision', signals: ['amp is on'] });
});

t.test('a validation loss alone warns after epoch 4 and is only noted before', async (t) => {
  const nonFinite = { 'val/box_loss': 'inf' } as const;
  t.equal(breachOf(verdictAt(rowAt(4, { nonFinite }))).severity, 'info');
  t.equal(breachOf(verdictAt(rowAt(5, { nonFinite }))).severity, 'warning');
});

t.test('the first epochs are counted from where the file begins to count', async (t) => {
  const row = rowAt(4, { nonFinite: { 'val/box_loss': 'inf' } });
  t.equal(breachOf(verdictAt(row, { ...run, epochBase: 0 })).severity, 'warning');
});

t.test('finite losses clear, also where the file has no validation loss', async (t) => {
  t.same(
    verdictsOf(lossNan, 'loss', rowsOf(1, 2)).map((verdict) => verdict?.kind),
    ['clear', 'clear'],
  );
  t.equal(verdictAt({ ...rowAt(3), metrics: { 'train/loss': 0.4 } })?.kind, 'clear');
});

t.test('a row without any loss says nothing', async (t) => {
  t.equal(verdictAt({ ...rowAt(1), metrics: { 'metrics/mAP50(B)': 0.4 } })?.kind, 'no-data');
  t.equal(verdictAt({ ...rowAt(1), metrics: { 'train/loss': null } })?.kind, 'no-data');
});
