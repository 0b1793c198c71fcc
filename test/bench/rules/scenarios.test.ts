import t from 'tap';
import { EPOCH_KINDS, generateEpochs } from '../../../bench/rules/epochs/generate.ts';
import { FULL, planOf, QUICK, REPORTED_SEEDS } from '../../../bench/rules/plan.ts';
import { createRandom } from '../../../bench/rules/random.ts';
import { rowsOf } from '../../../bench/rules/rows.ts';
import type { Scenario } from '../../../bench/rules/scenario.ts';
import { generateTelemetry, TELEMETRY_KINDS } from '../../../bench/rules/telemetry/generate.ts';
import { mad, mean, median, sum } from '../../../src/core/statistics.ts';
import { parseEventLine } from '../../../src/core/trace-line.ts';

t.test('the same seed draws the same numbers, as Python does with the same chance', async (t) => {
  const random = createRandom(42);
  const near = (found: number, expected: number) => t.ok(Math.abs(found - expected) < 1e-15, `${found} is ${expected}`);
  for (const expected of [0.29439390788555, 0.9125655762203799, 0.15283040785296254]) near(random.unit(), expected);
  near(random.gauss(0, 1), 0.07774157670408384);
  near(random.gauss(0, 1), -0.928392944050148);
  t.equal(random.choice([4, 6, 10, 20]), 20);
  t.equal(random.integer(14, 40), 25);
});

t.test('draws are distributed as they are called', async (t) => {
  const random = createRandom(7);
  const many = <T>(draw: () => T) => Array.from({ length: 40_000 }, draw);
  const z = many(() => random.gauss(3, 2));
  t.ok(Math.abs(mean(z) - 3) < 0.05);
  t.ok(Math.abs(mad(z) - 2) < 0.05);
  t.ok(Math.abs(z.filter((value) => value > 3 + 2 * 1.96).length / z.length - 0.025) < 0.004);
  t.ok(Math.abs(median(many(() => random.logUniform(1, 100))) - 10) < 0.5);
  const dice = many(() => random.integer(1, 6));
  t.strictSame([Math.min(...dice), Math.max(...dice)], [1, 6]);
  t.ok(Math.abs(mean(dice) - 3.5) < 0.05);
});

t.test('a scenario is the same each time it is made, and another one with another seed', async (t) => {
  const rows = (seed: number) => JSON.stringify(generateEpochs('collapse', seed));
  t.equal(rows(17), rows(17));
  t.not(rows(17), rows(18));
  const seconds = (seed: number) => JSON.stringify(generateTelemetry('bg_bursts', seed));
  const once = seconds(17);
  t.ok(once === seconds(17));
  t.ok(once !== seconds(18));
});

/** Seed 1000: rows, then of row 40 `train/box_loss`, `val/cls_loss`, mAP50 and the rate of the biases; mean total loss. */
const PROTOTYPE_ROWS: Readonly<Record<string, readonly number[]>> = {
  plain: [80, 0.82772835485842, 0.935424290483169, 0.7602725115316811, 0.00524433608800739, 2.561703],
  spike: [201, 0.8072575394537449, 0.9665039912766324, 0.8171028295007228, 0.0006503466998788984, 2.794434],
  overfit: [281, 1.2065695636270273, 1.657068356856143, 0.43767408456443946, 0.001907374604400492, 3.072312],
  oscillation: [113, 0.7942639236270781, 1.1198556748485011, 0.795907847760168, 0.006583185840707965, 2.596387],
  collapse: [116, 0.9792153995806999, 2.0606112331683426, 0.7791543414362733, 0.007486200075375586, 3.627873],
};

t.test('epoch scenarios are those of the prototype', async (t) => {
  for (const [kind, expected] of Object.entries(PROTOTYPE_ROWS)) {
    const rows = rowsOf(generateEpochs(kind, 1000).trace);
    const { metrics = {} } = rows[39] ?? {};
    const names = ['train/box_loss', 'val/cls_loss', 'metrics/mAP50(B)', 'lr/pg2'];
    const totals = rows.map((row) =>
      sum(['box', 'cls', 'dfl'].map((name) => row.metrics[`train/${name}_loss`] ?? Number.NaN)),
    );
    const found = [rows.length, ...names.map((name) => metrics[name] ?? Number.NaN), mean(totals)];
    t.ok(isNear(found, expected), `${kind}: ${found}`);
  }
});

/** Seed 1000: seconds, rows, then means of utilization (%), memory (MiB), power (W) and CPU (%). */
const PROTOTYPE_SECONDS: Readonly<Record<string, readonly number[]>> = {
  plain: [3376, 19, 79.185427, 21875.804043, 310.980442, 42.515987],
  stall_disk: [3425, 13, 81.731095, 65400.890562, 287.376627, 53.848427],
  leak_gpu: [3491, 24, 83.264681, 57415.77795, 313.940523, 31.09739],
  hang_spin: [3414, 14, 93.374048, 53038.488253, 158.675223, 19.842434],
};

t.test('telemetry scenarios are those of the prototype', async (t) => {
  for (const [kind, expected] of Object.entries(PROTOTYPE_SECONDS)) {
    const { length, trace } = generateTelemetry(kind, 1000);
    const average = (of: 'gpu' | 'host', metric: string) =>
      mean(
        trace.flatMap((event) => (event.kind === of && metric in event ? [Number(Reflect.get(event, metric))] : [])),
      );
    const rows = trace.filter((event) => event.kind === 'epoch').length;
    const gpu = [average('gpu', 'utilization'), average('gpu', 'memoryUsed') / 2 ** 20, average('gpu', 'power')];
    t.ok(isNear([length, rows, ...gpu, average('host', 'cpu')], expected), `${kind}: ${[length, rows, ...gpu]}`);
  }
});

/** Healthy trainings beside the ordinary one whose course or phases are their own. */
const PECULIAR = ['cold_first_epoch', 'sample_gaps', 'bg_bursts', 'nan_recovery', 'resume_restart', 'mosaic_restart'];

t.test('clean scenarios have no labels, and faults have some, within the run', async (t) => {
  const all: Scenario[] = [
    ...[...EPOCH_KINDS.clean, ...EPOCH_KINDS.fault].map((kind) => generateEpochs(kind, 4)),
    ...[...PECULIAR, ...TELEMETRY_KINDS.fault].map((kind) => generateTelemetry(kind, 4)),
  ];
  for (const { kind, clean, labels, trace, length } of all) {
    t.equal(labels.length === 0, clean, kind);
    const times = trace.map((event) => event.t ?? -1);
    t.ok(
      times.every((at, i) => at >= (times[i - 1] ?? 0)),
      `${kind}: time never falls`,
    );
    t.ok(
      labels.every((label) => label.start >= 1 && label.start <= length),
      `${kind}: labels lie in the run`,
    );
  }
});

t.test('what a training says in a scenario is what a trace may hold', async (t) => {
  const said = [...generateEpochs('nan_val', 4).trace, ...generateTelemetry('plain', 4).trace.slice(0, 400)];
  const own = said.filter(({ kind }) => kind !== 'gpu' && kind !== 'host');
  t.ok(own.length > 10);
  for (const event of own) t.strictSame(parseEventLine(JSON.stringify(event)), { event, run: null });
});

t.test('an unknown kind is refused by its name', async (t) => {
  t.throws(() => generateEpochs('hang_idle', 1), { message: 'hang_idle is not a kind of epoch scenario' });
  t.throws(() => generateTelemetry('spike', 1), { message: 'spike is not a kind of telemetry scenario' });
});

t.test(
  'a full benchmark plays as many runs as the published figures, from the seeds that nobody tunes on',
  async (t) => {
    const plan = planOf(FULL, REPORTED_SEEDS);
    const faults: readonly string[] = [...EPOCH_KINDS.fault, ...TELEMETRY_KINDS.fault];
    const count = (scale: string, faulty: boolean) =>
      plan.filter((one) => one.scale === scale && faults.includes(one.kind) === faulty).length;
    t.strictSame(
      [count('rows', false), count('rows', true), count('seconds', false), count('seconds', true)],
      [350, 600, 154, 192],
    );
    t.ok(plan.every(({ seed }) => seed >= 1000 && seed <= 1999));
    t.ok(planOf(QUICK, REPORTED_SEEDS).length < plan.length / 3);
  },
);

const isNear = (found: readonly number[], expected: readonly number[]): boolean =>
  found.length === expected.length &&
  found.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) <= 1e-6 * Math.max(1, Math.abs(value)));
