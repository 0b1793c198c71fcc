import t from 'tap';
import { mapOscillation } from '../../src/rules/map-oscillation.ts';
import { breachOf, randomOf, rowsOf, run, type Told, verdictsOf } from './rows.ts';

const verdictsFor = (rows: ReturnType<typeof rowsOf>, context = run) =>
  verdictsOf(mapOscillation, 'swing', rows, context);
const random = randomOf(3);
/** mAP of a training that goes well, with noise of ±`noise`. */
const ordinary = (epoch: number, noise = 0.002) => 0.8 * (1 - Math.exp(-epoch / 12)) + noise * (2 * random() - 1);
const swinging =
  (from: number, amplitude: number) =>
  (epoch: number): Told => ({
    map: ordinary(epoch, 0.001) + (epoch >= from ? amplitude * Math.sin((2 * Math.PI * epoch) / 4.2) : 0),
  });

t.test('a swing of mAP is found with its amplitude and period', async (t) => {
  const verdicts = verdictsFor(rowsOf(1, 60, swinging(38, 0.01)));
  const breach = breachOf(verdicts.at(-1));
  t.equal(breach.severity, 'warning');
  const [amplitude, period] = breach.evidence;
  t.ok(Math.abs(Number(amplitude?.value) - 0.01) < 0.002, `amplitude ${amplitude?.value}`);
  t.ok(Math.abs(Number(period?.value) - 4.2) < 0.3, `period ${period?.value}`);
  t.match(breach.problem, /^mAP50 swings by ±[0-9.]+ % with a period of 4\.\d epochs in epochs \d+ to 60/);
  t.strictSame(breach.hold, { evaluations: 1 });
  t.ok(breach.evidence.some(({ name }) => name === 'the same without the trend, epochs 26 to 50'));
});

t.test('changes far larger than those before are found without a period', async (t) => {
  const rows = rowsOf(1, 60, (epoch) => ({ map: ordinary(epoch, epoch > 46 ? 0.06 : 0.004) }));
  const breaches = verdictsFor(rows).flatMap((verdict) => (verdict?.kind === 'breach' ? [verdict] : []));
  t.ok(breaches.some(({ title }) => title === 'mAP became restless'));
});

t.test('noise as it always was in this run is no swing', async (t) => {
  const kinds = verdictsFor(rowsOf(1, 90, (epoch) => ({ map: ordinary(epoch, 0.01) }))).map((verdict) => verdict?.kind);
  t.equal(kinds[60], 'clear');
  t.notOk(kinds.includes('breach'));
});

t.test('a fall of mAP is not taken for a swing', async (t) => {
  const rows = rowsOf(1, 60, (epoch) => ({ map: Math.max(0.05, ordinary(epoch) - Math.max(0, epoch - 45) * 0.05) }));
  t.notOk(verdictsFor(rows).some((verdict) => verdict?.kind === 'breach'));
});

t.test('too few rows, and the rows after a resume, say neither yes nor no', async (t) => {
  t.ok(verdictsFor(rowsOf(1, 20)).every((verdict) => verdict?.kind === 'between'));
  const resumed = rowsOf(1, 45, (epoch) => ({ ...swinging(30, 0.01)(epoch), attempt: epoch >= 41 ? 2 : 1 }));
  t.equal(verdictsFor(resumed).at(-1)?.kind, 'between');
});

t.test('a run without validation says nothing', async (t) => {
  t.match(verdictsFor(rowsOf(1, 3, () => ({ map: null }))), [
    { kind: 'no-data' },
    { kind: 'no-data' },
    { kind: 'no-data' },
  ]);
});

t.test('the cause follows the learning rate', async (t) => {
  const told = swinging(38, 0.01);
  const full = breachOf(verdictsFor(rowsOf(1, 60, told)).at(-1));
  t.equal(full.cause?.code, 'learning_rate');
  const low = breachOf(verdictsFor(rowsOf(1, 60, (epoch) => ({ ...told(epoch), lr: 0.01 * (1 - epoch / 60) }))).at(-1));
  t.equal(low.cause?.code, 'validation_set');
});
