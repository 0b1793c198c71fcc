import t from 'tap';
import { dataloaderStall } from '../../src/rules/dataloader-stall.ts';
import type { Input } from '../../src/rules/rule.ts';
import {
  breaches,
  EPOCH_S,
  epochInput,
  gpuOf,
  kindAt,
  type Phase,
  play,
  type Second,
  START_S,
  STARTED_AT,
  simulateTraining,
} from './simulated-training.ts';

/** Second in the middle of the training of an epoch (the first is 0). */
const midEpoch = (epoch: number): number => START_S + epoch * EPOCH_S + 20;
const waitingForDisk = (second: Second): Second => ({
  ...second,
  utilization: 0,
  pressureIo: 40,
  cpuIowait: 30,
  diskBusy: 97,
});
const between = (t: number, from: number, to: number) => t >= from && t < to;

t.test('a training that never waits is clear, also while it validates and saves', async (t) => {
  const answers = play(dataloaderStall, simulateTraining({ seconds: 1500, seed: 1 }));
  t.strictSame(breaches(answers), []);
  t.equal(answers.at(-1)?.verdict.kind, 'clear');
});

t.test('a long pause in the middle of an epoch breaches within ten seconds and names the disk', async (t) => {
  const from = midEpoch(10);
  const alter = (second: Second, at: number) => (between(at, from, from + 25) ? waitingForDisk(second) : second);
  const [first] = breaches(play(dataloaderStall, simulateTraining({ seconds: 800, seed: 2, alter })));
  t.ok(first && between(first.t, from + 8, from + 10), `at second ${first?.t} of a pause that began at ${from}`);
  t.equal(first?.severity, 'warning');
  t.match(first?.problem, /idle for 9 s in the middle of an epoch, where at most 8 s/);
  t.equal(first?.cause?.code, 'disk');
  t.match(first?.cause?.signals, ['I/O pressure 40 %', 'CPU waiting for I/O 30 %', 'busiest disk 97 %']);
  t.match(first?.cause?.missing, ['dataloader workers blocked', 'CPU of each dataloader worker', /phases/]);
  t.match(first?.fix[0], /cache=ram/);
});

t.test('short pauses breach when they add up, are between for a while after the last one, then clear', async (t) => {
  const epochS = 240;
  const from = START_S + 4 * epochS + 20;
  const to = from + 150;
  const alter = (second: Second, at: number) =>
    between(at, from, to) && at % 20 < 4 ? { ...second, utilization: 2, cpu: 97 } : second;
  const answers = play(dataloaderStall, simulateTraining({ seconds: to + 420, seed: 3, epochS, alter }));
  const found = breaches(answers);
  t.match(found[0]?.problem, /% of the last 300 s, in \d pauses of 4 s/);
  t.equal(found[0]?.cause?.code, 'cpu');
  t.ok(between(found[0]?.t ?? 0, from, to), `first at ${found[0]?.t}, pauses since ${from}`);
  t.ok(found.every(({ severity }) => severity === 'warning'));
  t.equal(kindAt(answers, 'starved', (found.at(-1)?.t ?? 0) + 1), 'between');
  t.equal(answers.at(-1)?.verdict.kind, 'clear');
});

t.test('pauses that cost a fifth of the time are critical', async (t) => {
  const epochS = 300;
  const from = START_S + 4 * epochS + 20;
  const alter = (second: Second, at: number) => (at >= from && at % 20 < 8 ? { ...second, utilization: 0 } : second);
  const found = breaches(play(dataloaderStall, simulateTraining({ seconds: from + 220, seed: 14, epochS, alter })));
  t.equal(found.at(-1)?.severity, 'critical');
});

t.test('half the speed with a busy CPU breaches as a drop, and has to hold', async (t) => {
  const from = midEpoch(10);
  const alter = (second: Second, at: number, phase: Phase) =>
    phase === 'train' && at >= from ? { ...second, utilization: 40 + (at % 3) * 5, cpu: 96 } : second;
  const [first] = breaches(play(dataloaderStall, simulateTraining({ seconds: from + 300, seed: 4, alter })));
  t.match(first?.problem, /Over the length of an epoch the GPU was used to \d+ %, in earlier epochs to \d+ %/);
  t.equal(first?.cause?.code, 'cpu');
  t.strictSame(first?.hold, { ms: 20_000 });
});

t.test('half the speed without a sign of a slow input, or on a GPU that is slowed down, is no stall', async (t) => {
  const from = midEpoch(10);
  const slow = (extra: Partial<Second>) => (second: Second, at: number, phase: Phase) =>
    phase === 'train' && at >= from ? { ...second, utilization: 45, ...extra } : second;
  for (const extra of [{}, { cpu: 96, throttle: 0x20 }]) {
    const alter = slow(extra);
    const answers = play(dataloaderStall, simulateTraining({ seconds: from + 300, seed: 5, alter }));
    t.strictSame(breaches(answers), []);
    t.equal(answers.at(-1)?.verdict.kind, 'between');
  }
});

t.test('a boundary between epochs that is as long as usual is no stall, one that is far longer is', async (t) => {
  const slowSave = (second: Second, at: number) => {
    const inEpoch = (at - START_S) % EPOCH_S;
    return at > START_S && (inEpoch >= 46 || inEpoch < 4) ? { ...second, utilization: 0 } : second;
  };
  t.strictSame(breaches(play(dataloaderStall, simulateTraining({ seconds: 1500, seed: 6, alter: slowSave }))), []);

  const stuckAt = START_S + 15 * EPOCH_S;
  const stuck = (second: Second, at: number) => (at >= stuckAt ? { ...second, utilization: 0 } : second);
  const [first] = breaches(play(dataloaderStall, simulateTraining({ seconds: stuckAt + 50, seed: 7, alter: stuck })));
  t.match(first?.problem, /between two epochs/);
  t.equal(first?.cause?.code, 'other');
});

t.test(
  'samples that do not come are no idling: no data after five seconds, nothing found when they are back',
  async (t) => {
    const from = midEpoch(10);
    const alter = (second: Second, at: number) => (between(at, from, from + 30) ? null : second);
    const answers = play(dataloaderStall, simulateTraining({ seconds: from + 200, seed: 8, alter }));
    t.equal(kindAt(answers, 'starved', from + 2), undefined, 'a late sample is not judged at all');
    const missing = answers.find((answer) => answer.t === from + 20)?.verdict;
    t.strictSame(missing, { kind: 'no-data', missing: ['GPU utilization', 'host metrics'] });
    t.strictSame(breaches(answers), []);
  },
);

t.test('without host metrics a pause is still seen, and the cause says what it does not know', async (t) => {
  const from = midEpoch(10);
  const inputs = simulateTraining({
    seconds: from + 20,
    seed: 9,
    alter: (second, at) => (at >= from ? { ...second, utilization: 0 } : second),
  }).map((input): Input => (input.kind === 'tick' ? { ...input, host: null } : input));
  const [first] = breaches(play(dataloaderStall, inputs));
  t.equal(first?.cause?.code, 'other');
  t.match(first?.cause?.missing, ['I/O pressure', 'CPU waiting for I/O']);
  t.ok((first?.cause?.confidence ?? 1) < 0.5);
});

t.test('the first epoch only informs', async (t) => {
  const alter = (second: Second, at: number) => (at > 60 ? { ...second, utilization: 0 } : second);
  const found = breaches(
    play(
      dataloaderStall,
      simulateTraining({ seconds: 300, seed: 10, alter }).flatMap((input): Input[] =>
        input.kind === 'tick' ? [{ ...input, rowWritten: false }] : [],
      ),
    ),
  );
  t.ok(between(found[0]?.t ?? 0, 180, 190), 'after two minutes');
  t.ok(found.every(({ severity }) => severity === 'info'));
});

t.test('of several GPUs the mean counts: one that idles beside one that works is no stall of the input', async (t) => {
  const from = midEpoch(10);
  const both = (idle: readonly boolean[]): Input[] =>
    simulateTraining({ seconds: from + 40, seed: 11 }).map((input): Input => {
      if (input.kind !== 'tick' || input.at < STARTED_AT + from * 1000) return input;
      const second = { ...IDLE_SECOND, utilization: 95 };
      return { ...input, gpus: idle.map((idles, i) => gpuOf(`gpu:${i}`, idles ? IDLE_SECOND : second)) };
    });
  t.strictSame(breaches(play(dataloaderStall, both([true, false]))), []);
  t.ok(breaches(play(dataloaderStall, both([true, true]))).length > 0);
});

t.test('a resumed process may load its data again without being called stalled', async (t) => {
  const from = midEpoch(10);
  const loading = (second: Second, at: number): Second =>
    between(at, from, from + 60) ? { ...second, utilization: 0, memory: 3, runMemory: 2 } : second;
  t.strictSame(breaches(play(dataloaderStall, simulateTraining({ seconds: from + 60, seed: 12, alter: loading }))), []);

  const alter = (second: Second, at: number) => (at >= from ? { ...second, utilization: 0 } : second);
  const inputs = simulateTraining({ seconds: from + 40, seed: 13, alter });
  const resumed = inputs.flatMap((input): Input[] =>
    input.at === STARTED_AT + from * 1000 ? [epochInput(input.at, 11, 'resume'), input] : [input],
  );
  t.ok(breaches(play(dataloaderStall, inputs)).length > 0);
  t.strictSame(breaches(play(dataloaderStall, resumed)), []);
});

const IDLE_SECOND: Second = {
  utilization: 0,
  memory: 21,
  runMemory: 20,
  throttle: 0,
  power: 300,
  workersCpu: null,
  cpu: 40,
  cpuIowait: 0,
  pressureIo: 0,
  diskBusy: 10,
};
