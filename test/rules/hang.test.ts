import t from 'tap';
import { hang } from '../../src/rules/hang.ts';
import type { Input } from '../../src/rules/rule.ts';
import { breaches, kindAt, play, type Second, STARTED_AT, simulateTraining } from './simulated-training.ts';

const hung: Partial<Second> = { utilization: 0, power: 60, cpu: 3, diskBusy: 0, workersCpu: 0 };
const from =
  (begin: number, fault: Partial<Second>, end = Number.POSITIVE_INFINITY) =>
  (second: Second, t: number): Second =>
    t >= begin && t < end ? { ...second, ...fault } : second;

t.test('a healthy training, its pauses between epochs and its start are no hang', async (t) => {
  t.strictSame(breaches(play(hang, simulateTraining({ seconds: 1800, seed: 1 }))), []);
  const slowStart = simulateTraining({ seconds: 900, seed: 2, alter: from(0, hung, 600) });
  t.strictSame(breaches(play(hang, slowStart)), [], 'a data set may take ten minutes to be read');
});

t.test('GPU, CPU and disks that idle for a minute and a half are a hang, and work ends it', async (t) => {
  const answers = play(hang, simulateTraining({ seconds: 1200, seed: 3, alter: from(620, hung, 900) }));
  const [first] = breaches(answers);
  t.match(first, { severity: 'critical', cause: { code: 'idle' }, problem: /^GPU, CPU and disks have idled for / });
  t.ok(first && first.t >= 705 && first.t <= 740, `told at ${first?.t} s, it hung at 620 s`);
  t.match(first?.fix[0], /py-spy dump/);
  t.equal(kindAt(answers, 'hang', 910), 'clear');
});

t.test('a GPU that waits for a busy disk or CPU does not hang', async (t) => {
  for (const busy of [{ diskBusy: 95 }, { cpu: 90 }]) {
    const alter = from(620, { ...hung, ...busy }, 800);
    t.strictSame(breaches(play(hang, simulateTraining({ seconds: 800, seed: 4, alter }))), []);
  }
});

t.test('much utilization at little power is a deadlock that spins', async (t) => {
  const spinning = { utilization: 100, power: 90, cpu: 5, workersCpu: 0, diskBusy: 0 };
  const [first] = breaches(play(hang, simulateTraining({ seconds: 900, seed: 5, alter: from(630, spinning) })));
  t.match(first, { cause: { code: 'spin' }, problem: /100 % of work at 90 W, where this run usually draws 3\d\d W/ });
  t.ok(first && first.t <= 700, `told at ${first?.t} s`);
});

t.test('an epoch that is long overdue on an idle GPU is told although the host is busy', async (t) => {
  const alter = from(620, { ...hung, cpu: 60 });
  const inputs = simulateTraining({ seconds: 1200, seed: 6, alter }).flatMap((input): Input[] => {
    if (input.at < STARTED_AT + 620_000) return [input];
    return input.kind === 'tick' ? [{ ...input, rowWritten: false }] : [];
  });
  const [first] = breaches(play(hang, inputs));
  t.match(first, { problem: /^The last epoch ended .* ago, an epoch usually takes 60 s, and the GPU idles\.$/ });
});

t.test('without samples nothing is claimed', async (t) => {
  const silent = simulateTraining({ seconds: 1200, seed: 7, alter: (second, at) => (at > 600 ? null : second) });
  t.strictSame(breaches(play(hang, silent)), []);
  t.equal(kindAt(play(hang, silent), 'hang', 700), 'no-data');
});
