import t from 'tap';
import { throughputDrop } from '../../src/rules/throughput-drop.ts';
import { breachesOf, breachOf, rowsOf, verdictsOf } from './rows.ts';

/** Rows whose epochs take as long as told, seconds. */
const lasting = (last: number, seconds: (epoch: number) => number, attemptOf: (epoch: number) => number = () => 1) => {
  let elapsedS = 0;
  let before = 1;
  return rowsOf(1, last, (epoch) => {
    const attempt = attemptOf(epoch);
    if (attempt !== before) elapsedS = 0;
    before = attempt;
    elapsedS += seconds(epoch);
    return { attempt, elapsedS };
  });
};

t.test('epochs that take half as long again are told with what they cost', async (t) => {
  const verdicts = verdictsOf(
    throughputDrop,
    'slow',
    lasting(30, (epoch) => (epoch >= 20 ? 90 : 60)),
  );
  t.match(breachOf(verdicts[19]), {
    problem: 'Epoch 20 took 90 s, 50 % more than the usual 60 s.',
    evidence: [{}, {}, { name: 'lost per epoch', value: 30 }],
  });
  t.equal(verdicts.filter((verdict) => verdict?.kind === 'breach').length, 11);
});

t.test('whole seconds and the slow first epoch of an attempt are none', async (t) => {
  t.strictSame(
    breachesOf(
      throughputDrop,
      'slow',
      lasting(30, (epoch) => (epoch % 3 === 0 ? 6 : 5)),
    ),
    [],
  );
  const attempt = (epoch: number) => (epoch >= 16 ? 2 : 1);
  const resumed = lasting(30, (epoch) => (epoch === 1 || epoch === 16 || epoch === 17 ? 300 : 60), attempt);
  t.strictSame(breachesOf(throughputDrop, 'slow', resumed), []);
});

t.test('after the end of mosaic another length is usual', async (t) => {
  t.strictSame(
    breachesOf(
      throughputDrop,
      'slow',
      lasting(100, (epoch) => (epoch >= 91 ? 90 : 60)),
    ),
    [],
  );
});

t.test('a row without a time says so', async (t) => {
  const rows = rowsOf(1, 3, () => ({ elapsedS: null }));
  t.match(verdictsOf(throughputDrop, 'slow', rows), Array(3).fill({ kind: 'no-data', missing: ['time of the epoch'] }));
});
