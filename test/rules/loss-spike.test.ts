import t from 'tap';
import { lossSpike } from '../../src/rules/loss-spike.ts';
import { breachOf, rowAt, rowsOf, run, type Told, verdictsOf } from './rows.ts';

const spikeAt = (rows: ReturnType<typeof rowsOf>, context = run) => verdictsOf(lossSpike, 'spike', rows, context);
const earlyAt = (rows: ReturnType<typeof rowsOf>) => verdictsOf(lossSpike, 'early', rows);
const kinds = (verdicts: readonly ({ kind: string } | undefined)[]) => verdicts.map((verdict) => verdict?.kind);

t.test('a loss far above its course is a spike, with what was expected', async (t) => {
  const verdicts = spikeAt(rowsOf(1, 20, (epoch) => (epoch === 20 ? { loss: 1.3 } : {})));
  const breach = breachOf(verdicts.at(-1));
  t.equal(breach.severity, 'warning');
  t.strictSame(breach.epochs, [20, 20]);
  t.match(breach.problem, /^Training loss 2\.09 at epoch 20 is 29\.9 % above the 1\.61 expected from the 10/);
  t.match(breach.evidence[0], { name: 'training loss', value: 2.0913, expected: Number });
  t.match(breach.cause, { code: 'unknown', missing: ['console log (NaN recoveries, batch size)'] });
  t.ok(breach.fix.length > 1);
  t.ok(kinds(verdicts.slice(5, 19)).every((kind) => kind === 'clear'));
});

t.test('a loss at two and a half times its course is critical', async (t) => {
  t.equal(breachOf(spikeAt(rowsOf(1, 20, (epoch) => (epoch === 20 ? { loss: 2.5 } : {}))).at(-1)).severity, 'critical');
});

t.test('a small rise is neither a spike nor its end, and the row after a spike clears', async (t) => {
  const verdicts = spikeAt(
    rowsOf(1, 22, (epoch): Told => {
      if (epoch === 20) return { loss: 1.3 };
      return epoch === 21 ? { loss: 1.045 } : {};
    }),
  );
  t.strictSame(kinds(verdicts.slice(19)), ['breach', 'between', 'clear']);
});

t.test('rows without a finite training loss say nothing', async (t) => {
  const rows = [
    rowAt(1),
    rowAt(2, { nonFinite: { 'train/box_loss': 'nan' } }),
    rowAt(3, { loss: 0 }),
    { ...rowAt(4), metrics: { 'metrics/mAP50(B)': 0.5 } },
  ];
  t.strictSame(kinds(spikeAt(rows)), ['between', 'no-data', 'no-data', 'no-data']);
});

t.test('the fast fall of the first epochs is no spike, whatever comes after it', async (t) => {
  const rows = rowsOf(1, 12, (epoch) => ({ loss: epoch < 4 ? 5 / epoch : 1 }));
  t.notOk(kinds(spikeAt(rows)).includes('breach'));
});

t.test('the end of mosaic augmentation is noted, not warned of', async (t) => {
  const breach = breachOf(spikeAt(rowsOf(1, 91, (epoch) => (epoch >= 91 ? { loss: 1.2 } : {}))).at(-1));
  t.match(breach, { severity: 'info', cause: { code: 'close_mosaic' } });
});

t.test('a jump of the learning rate is named as the cause', async (t) => {
  const rows = rowsOf(1, 20, (epoch) => (epoch === 20 ? { loss: 1.3, lr: 0.1 } : {}));
  const breach = breachOf(spikeAt(rows).at(-1));
  t.match(breach, { severity: 'info', cause: { code: 'learning_rate', signals: ['learning rate 0.01 → 0.1'] } });
});

t.test('a spike of one component alone points at the data', async (t) => {
  const rows = rowsOf(1, 20);
  const last = rows.at(-1);
  const bad = last && { ...last, metrics: { ...last.metrics, 'train/cls_loss': 2 } };
  const breach = breachOf(spikeAt([...rows.slice(0, -1), ...(bad ? [bad] : [])]).at(-1));
  t.match(breach.cause, { code: 'data', text: /labels or class balance/ });
});

t.test('a new level that stays is taken as the baseline after eight rows', async (t) => {
  const verdicts = spikeAt(rowsOf(1, 45, (epoch) => (epoch >= 20 ? { loss: 1.5 } : {})));
  t.strictSame(kinds(verdicts.slice(19, 27)), [...Array(6).fill('breach'), 'clear', 'clear']);
  t.match(verdicts[26], { result: /new level becomes the baseline/ });
  t.notOk(kinds(verdicts.slice(27)).includes('breach'));
});

t.test('early instability is noted with its epochs until the loss is back at its old minimum', async (t) => {
  const verdicts = earlyAt(rowsOf(1, 8, (epoch) => (epoch >= 3 && epoch <= 5 ? { loss: 1.5 } : {})));
  t.strictSame(kinds(verdicts), ['clear', 'clear', 'breach', 'breach', 'breach', 'clear', 'clear', 'clear']);
  t.match(breachOf(verdicts[4]), { severity: 'info', epochs: [3, 5] });
  t.match(verdicts[5], { result: 'resolved at epoch 6' });
});

t.test('a slight rise in the first epochs, or a large one later, is not early instability', async (t) => {
  const slight = earlyAt(rowsOf(1, 6, (epoch) => (epoch === 4 ? { loss: 1.15 } : {})));
  t.equal(slight[3]?.kind, 'between');
  t.notOk(kinds(earlyAt(rowsOf(1, 30, (epoch) => (epoch === 20 ? { loss: 3 } : {})))).includes('breach'));
});
