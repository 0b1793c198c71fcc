import t from 'tap';
import { countingLatch, timedLatch } from '../../../bench/rules/detectors/latch.ts';
import { playCarefulRows, playFirstRows } from '../../../bench/rules/detectors/naive-rows.ts';
import { playCarefulSamples, playFirstSamples } from '../../../bench/rules/detectors/naive-samples.ts';
import { playOurs } from '../../../bench/rules/detectors/ours.ts';
import type { Raised } from '../../../bench/rules/detectors/raised.ts';
import { raiseAtRandom } from '../../../bench/rules/detectors/random.ts';
import { generateEpochs } from '../../../bench/rules/epochs/generate.ts';
import { rowsOf } from '../../../bench/rules/rows.ts';
import { generateTelemetry } from '../../../bench/rules/telemetry/generate.ts';

const places = (raised: readonly Raised[], rule: string) =>
  raised.filter((alert) => alert.rule === rule).map((alert) => alert.at);

t.test('a counting latch holds, clears with patience and rests', async (t) => {
  const latch = countingLatch(2, 2, 3);
  const bad = [0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1];
  t.strictSame(
    bad.flatMap((flag, i) => (latch(i, flag === 1, flag === 0) ? [i] : [])),
    [2, 9],
  );
});

t.test('a timed latch fires only on what lasts, and once while it lasts', async (t) => {
  const latch = timedLatch(10, 5);
  const fires: number[] = [];
  for (let second = 0; second < 60; second++) {
    const bad = (second >= 5 && second < 12) || (second >= 20 && second < 40) || second >= 43;
    if (latch(second, bad, !bad)) fires.push(second);
  }
  t.strictSame(fires, [30]);
});

t.test('a NaN of the training loss is raised by everybody in its own row', async (t) => {
  const scenario = generateEpochs('nan_train', 3);
  const [label] = scenario.labels;
  const expected = [label?.start ?? 0];
  t.strictSame(places(playOurs(scenario).raised, 'loss_nan'), expected);
  t.strictSame(places(playFirstRows(rowsOf(scenario.trace)), 'loss_nan'), expected);
  t.strictSame(places(playCarefulRows(rowsOf(scenario.trace)), 'loss_nan'), expected);
});

t.test('a resumed training comes to the rules as a second attempt', async (t) => {
  const rows = rowsOf(generateEpochs('resume', 5).trace);
  const resumedAt = rows.findIndex(({ attempt }) => attempt === 2);
  t.ok(resumedAt > 0);
  t.equal(rows[resumedAt]?.epoch, (rows[resumedAt - 1]?.epoch ?? 0) + 1);
  t.ok((rows[resumedAt]?.elapsedS ?? 0) < (rows[resumedAt - 1]?.elapsedS ?? 0));
});

t.test('naive sets take every long validation for a stall, ours takes none', async (t) => {
  const scenario = generateTelemetry('long_val', 2);
  const epochs = scenario.trace.filter(({ kind }) => kind === 'epoch').length;
  t.ok(places(playFirstSamples(scenario.trace), 'dataloader_stall').length >= epochs);
  t.ok(places(playCarefulSamples(scenario.trace), 'dataloader_stall').length >= epochs);
  t.strictSame(playOurs(scenario).raised, []);
});

t.test('a starved GPU is raised as a stall with its cause, by the engine as it is shipped', async (t) => {
  const scenario = generateTelemetry('disk_bound', 1001);
  const [label] = scenario.labels;
  const [stall] = playOurs(scenario).raised.filter(({ rule }) => rule === 'dataloader_stall');
  t.equal(stall?.cause, 'disk');
  t.ok(stall && label && stall.at >= label.start && stall.at <= label.deadline);
});

t.test('the random detector raises as often as it is told, anywhere, and the same each time', async (t) => {
  const runs = [{ length: 50 }, { length: 1 }, { length: 949 }];
  const raised = raiseAtRandom('hang', runs, 400);
  t.equal(raised.flat().length, 400);
  t.ok(raised.every((alerts, i) => alerts.every(({ at }) => at >= 1 && at <= (runs[i]?.length ?? 0))));
  t.ok((raised[2]?.length ?? 0) > 340);
  t.strictSame(raiseAtRandom('hang', runs, 400), raised);
});
