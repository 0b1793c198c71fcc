import t from 'tap';
import { oomRisk } from '../../src/rules/oom-risk.ts';
import type { Input, RunContext } from '../../src/rules/rule.ts';
import {
  breaches,
  EPOCH_S,
  kindAt,
  MEMORY_GIB,
  type Phase,
  play,
  RUN,
  type Second,
  START_S,
  simulateTraining,
} from './simulated-training.ts';

const HOUR = 3600;
/** The training's own memory, and with it the GPU's, is `gib` more. */
const plus = (second: Second, gib: number): Second => ({
  ...second,
  memory: second.memory + gib,
  runMemory: second.runMemory === null ? null : second.runMemory + gib,
});
/** Grows by so many GiB an hour from `from` on. */
const leak =
  (gibPerHour: number, from = 0) =>
  (second: Second, at: number, phase: Phase) =>
    phase === 'start' ? second : plus(second, (gibPerHour * Math.max(0, at - from)) / HOUR);

t.test('memory that only rises and falls within each epoch is clear', async (t) => {
  const answers = play(oomRisk, simulateTraining({ seconds: 2400, seed: 1 }));
  t.strictSame(breaches(answers), []);
  const last = answers.filter(({ track }) => track === 'forecast').at(-1);
  t.equal(last?.verdict.kind, 'clear');
  t.equal(answers.at(-1)?.verdict.kind, 'clear');
});

t.test('steady growth is told with the time that is left, within a tenth of the truth', async (t) => {
  const answers = play(oomRisk, simulateTraining({ seconds: 1500, seed: 2, alter: leak(12) }));
  const [first] = breaches(answers);
  t.equal(first?.track, 'forecast');
  t.equal(first?.severity, 'warning');
  t.equal(first?.gpu, 'gpu:0');
  const fullAt = ((0.985 * MEMORY_GIB - 21) / 12) * HOUR;
  const error = Math.abs((first?.forecastS ?? 0) + (first?.t ?? 0) - fullAt) / fullAt;
  t.ok(error < 0.1, `forecast ${first?.forecastS} s at second ${first?.t}, full at ${Math.round(fullAt)}`);
  t.match(first?.problem, /^The memory peaks of gpu:0 grew by [\d.]+ GiB in \d+ min to [\d.]+ of 40 GiB/);
  t.equal(first?.cause?.code, 'growth');
  t.match(first?.cause?.missing, [/fragmentation/]);
  t.match(first?.fix[0], /Restart from last\.pt before it is full, in \d+ min/);
  t.match(first?.fix[1], /from 16 to 12/);
});

t.test('a forecast below half an hour is critical', async (t) => {
  const found = breaches(play(oomRisk, simulateTraining({ seconds: 1200, seed: 3, alter: leak(36) })));
  t.equal(found[0]?.severity, 'critical');
  t.ok((found[0]?.forecastS ?? HOUR) < 1800);
});

t.test('growth that levels off, or came in one jump, is no leak', async (t) => {
  const records = (second: Second, at: number) => plus(second, 2 * Math.log(1 + at / 60));
  t.strictSame(breaches(play(oomRisk, simulateTraining({ seconds: 2400, seed: 4, alter: records }))), []);
  const jump = (second: Second, at: number) => plus(second, at > 900 ? 5 : 0);
  t.strictSame(breaches(play(oomRisk, simulateTraining({ seconds: 2400, seed: 5, alter: jump }))), []);
});

t.test('growth that will not fill the memory before the run ends is not told', async (t) => {
  const planned = (epochsPlanned: number): RunContext => ({ ...RUN, epochsPlanned });
  const alter = leak(12);
  const short = simulateTraining({ seconds: 1500, seed: 6, alter, run: planned(30) });
  const long = simulateTraining({ seconds: 1500, seed: 6, alter, run: planned(300) });
  t.strictSame(breaches(play(oomRisk, short)), []);
  t.ok(breaches(play(oomRisk, long)).length > 0);
});

t.test('growth of other processes is laid to them', async (t) => {
  const alter = (second: Second, at: number) => ({ ...second, memory: second.memory + (12 * at) / HOUR });
  const [first] = breaches(play(oomRisk, simulateTraining({ seconds: 1500, seed: 7, alter })));
  t.equal(first?.cause?.code, 'neighbor');
  t.match(first?.fix[0], /nvidia-smi who else uses gpu:0/);
});

t.test('where the memory of the processes is not known, the cause says so', async (t) => {
  const alter = (second: Second, at: number) => ({ ...plus(second, (12 * at) / HOUR), runMemory: null });
  const [first] = breaches(play(oomRisk, simulateTraining({ seconds: 1500, seed: 8, alter })));
  t.equal(first?.cause?.code, 'growth');
  t.match(first?.cause?.missing, ["memory held by the run's own processes", /fragmentation/]);
});

t.test(
  'a step to the limit is critical at once; between the limits nothing changes; below them it is over',
  async (t) => {
    const alter = (second: Second, at: number, phase: Phase) => {
      if (phase !== 'train' || at < 600) return second;
      return plus(second, at < 900 ? 18 : at < 1200 ? 17 : 0);
    };
    const answers = play(oomRisk, simulateTraining({ seconds: 1500, seed: 9, alter }));
    const [first] = breaches(answers);
    t.match(first, { track: 'level', severity: 'critical', forecastS: 0, cause: { code: 'step' } });
    t.match(first?.problem, /^gpu:0 uses 39 of 40 GiB \(97\.5 %\), 18 GiB more than after the first epochs/);
    const trainingAt = START_S + 16 * EPOCH_S + 10;
    t.equal(kindAt(answers, 'level', trainingAt), 'between');
    t.equal(answers.filter(({ track }) => track === 'level').at(-1)?.verdict.kind, 'clear');
  },
);

t.test('while the memory is nearly full the forecast keeps still', async (t) => {
  const alter = (second: Second, at: number) => plus(second, at < 600 ? 0 : 17.4 + (0.3 * at) / HOUR);
  const answers = play(oomRisk, simulateTraining({ seconds: 2400, seed: 10, alter }));
  t.ok(breaches(answers).every(({ track }) => track === 'level'));
  t.equal(answers.filter(({ track }) => track === 'forecast').at(-1)?.verdict.kind, 'between');
});

t.test('memory that is nearly full from the beginning is only noted', async (t) => {
  const full = (second: Second): Second => ({ ...second, memory: 38.8, runMemory: 38 });
  const found = breaches(play(oomRisk, simulateTraining({ seconds: 900, seed: 11, alter: full })));
  t.ok(found.length > 0);
  t.ok(found.every(({ severity, track }) => severity === 'info' && track === 'level'));
});

t.test('no samples of the memory are no data on both tracks', async (t) => {
  const alter = (second: Second, at: number) => (at >= 600 ? null : second);
  const answers = play(oomRisk, simulateTraining({ seconds: 700, seed: 12, alter }));
  t.equal(kindAt(answers, 'level', 602), undefined, 'a late sample is not judged at all');
  for (const track of ['forecast', 'level']) t.equal(kindAt(answers, track, 650), 'no-data');
  t.match(answers.at(-1)?.verdict, { missing: ['used and total memory of the GPUs'] });
});

t.test('a restart of the process ends the growth that was seen before it', async (t) => {
  const alter = (second: Second, at: number, phase: Phase): Second => {
    if (at < 1200) return leak(12)(second, at, phase);
    return at < 1230 ? { ...second, utilization: 0, memory: 2, runMemory: 1 } : second;
  };
  const answers = play(oomRisk, simulateTraining({ seconds: 1900, seed: 13, alter }));
  t.ok(breaches(answers).length > 0);
  const after = answers.filter((answer) => answer.track === 'forecast' && answer.t > 1200);
  t.ok(after.length >= 6);
  t.ok(after.every(({ verdict }) => verdict.kind === 'clear'));
});

t.test('of several GPUs the worst is named', async (t) => {
  const alone = simulateTraining({ seconds: 1500, seed: 14, alter: leak(12) });
  const steady = simulateTraining({ seconds: 1500, seed: 15 });
  const together = alone.map((input, i): Input => {
    const other = steady[i];
    if (input.kind !== 'tick' || other?.kind !== 'tick') return input;
    const [leaking] = input.gpus ?? [];
    const [calm] = other.gpus ?? [];
    return { ...input, gpus: leaking && calm ? [calm, { ...leaking, gpu: 'gpu:1' }] : null };
  });
  const found = breaches(play(oomRisk, together));
  t.ok(found.length > 0);
  t.ok(found.every(({ gpu }) => gpu === 'gpu:1'));
});

t.test('a GPU that does not tell its utilization is judged all the same', async (t) => {
  const inputs = simulateTraining({ seconds: 1500, seed: 16, alter: leak(12) }).map((input): Input => {
    if (input.kind !== 'tick' || input.gpus === null) return input;
    const gpus = input.gpus.map(({ gpu, values }) => ({ gpu, values: { ...values, utilization: null } }));
    return { ...input, gpus };
  });
  t.ok(breaches(play(oomRisk, inputs)).length > 0);
});
