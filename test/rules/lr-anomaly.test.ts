import t from 'tap';
import { lrAnomaly } from '../../src/rules/lr-anomaly.ts';
import { breachesOf, breachOf, rowsOf, run, verdictsOf } from './rows.ts';

const scheduled = { ...run, args: { ...run.args, lr0: 0.01, lrf: 0.01, optimizer: 'SGD' } };
/** Ultralytics' linear schedule of 100 epochs, with the rate of the epoch's own beginning. */
const rate = (epoch: number) => 0.01 * ((1 - (epoch - 1) / 100) * 0.99 + 0.01);
const given = (tell: (epoch: number) => number) => rowsOf(1, 60, (epoch) => ({ lr: tell(epoch) }));

t.test('a rate on its schedule is quiet, whichever step of it a version writes', async (t) => {
  for (const shift of [-1, 0, 1]) {
    t.strictSame(
      breachesOf(
        lrAnomaly,
        'schedule',
        given((epoch) => rate(epoch + shift)),
        scheduled,
      ),
      [],
    );
  }
});

t.test('a rate that is three times what the arguments give is off at once', async (t) => {
  const rows = given((epoch) => rate(epoch) * (epoch === 30 ? 3 : 1));
  const [first] = breachesOf(lrAnomaly, 'schedule', rows, scheduled);
  t.match(first, {
    severity: 'warning',
    epochs: [30, 30],
    problem: /^The learning rate at epoch 30 is 0\.0214, 2\.96 times the /,
  });
});

t.test('a rate that stands still leaves its schedule within a few rows', async (t) => {
  const [first] = breachesOf(
    lrAnomaly,
    'schedule',
    given((epoch) => rate(Math.min(epoch, 30))),
    scheduled,
  );
  t.ok(Number(first?.epochs?.[1]) <= 36, `told at epoch ${first?.epochs?.[1]}`);
});

t.test(
  'without arguments a rate that freezes after a steady fall is told, one that goes in steps is not',
  async (t) => {
    const frozen = verdictsOf(
      lrAnomaly,
      'schedule',
      given((epoch) => rate(Math.min(epoch, 30))),
    );
    t.match(breachOf(frozen[34]), { title: 'Learning rate stands still' });
    const steps = given((epoch) => (epoch < 30 ? 0.01 : 0.001));
    t.strictSame(breachesOf(lrAnomaly, 'schedule', steps), []);
  },
);

t.test('a rate of 0 after warm-up is told, in warm-up it is usual', async (t) => {
  const rows = given((epoch) => (epoch <= 2 || epoch === 20 ? 0 : 0.01));
  t.match(breachesOf(lrAnomaly, 'schedule', rows), [{ title: 'Learning rate is 0', epochs: [20, 20] }]);
});

t.test('a long warm-up on few images is not held against the schedule', async (t) => {
  const bias = rowsOf(1, 60, (epoch) => ({ lr: 0.1 - 0.0009 * epoch })).map((row, i) => ({
    ...row,
    metrics: { ...row.metrics, 'lr/pg1': 0.0001 * i },
  }));
  t.strictSame(breachesOf(lrAnomaly, 'schedule', bias, scheduled), []);
  const auto = { ...scheduled, args: { ...scheduled.args, optimizer: 'auto' } };
  const slow = given((epoch) => (epoch < 20 ? (rate(epoch) * epoch) / 20 / 8 : rate(epoch) / 8));
  t.strictSame(breachesOf(lrAnomaly, 'schedule', slow, auto), []);
});

t.test('a jump that no argument explains is noted', async (t) => {
  const [note] = breachesOf(
    lrAnomaly,
    'schedule',
    given((epoch) => (epoch >= 30 ? 0.02 : 0.01)),
  );
  t.match(note, { severity: 'info', title: 'Learning rate went up' });
});
