import t from 'tap';
import { firedAfterS, GPU, judgeGpu } from './gpus.ts';
import { run, START_AT } from './rows.ts';

const error = (second: number, xid: number, line = `NVRM: Xid (PCI:0000:61:00): ${xid}, pid=42, name=python`) => ({
  at: START_AT + second * 1000,
  xid,
  line,
});
const DAY_S = 86_400;

t.test('an XID is told at once with what it means, and is over after a day', async (t) => {
  const ticks = (second: number) => {
    if (second === 10) return { run, xids: [error(10, 48)] };
    return second < 20 || second > DAY_S ? { run } : null;
  };
  const { changes, fired } = judgeGpu(DAY_S + 60, ticks);
  t.match(
    changes.map(({ second, alert }) => [second, alert.state]),
    [
      [10, 'firing'],
      [DAY_S + 11, 'resolved'],
    ],
  );
  t.match(fired, [
    {
      rule: 'gpu_xid',
      severity: 'critical',
      subject: 'gpu:0',
      gpu: 'gpu:0',
      run: 'r1',
      title: 'GPU error: XID 48',
      problem: /^The driver reported XID 48 of gpu:0\. Two bits of its memory flipped at once/,
      cause: { code: 'xid_48' },
      result: 'no error came for 24 h',
    },
  ]);
  t.match(fired[0]?.fix[0], /nvidia-smi --gpu-reset -i 0/);
});

t.test('errors of one burst are one alert with the worst of them; a later burst is told again', async (t) => {
  const bursts = new Map([
    [10, [error(10, 13), error(10, 13)]],
    [12, [error(11, 31), error(12, 79)]],
    [400, [error(400, 79), error(400, 79)]],
  ]);
  const { changes, fired } = judgeGpu(500, (second) => ({ xids: bursts.get(second) ?? [] }));
  t.match(
    changes.map(({ second, alert }) => [second, alert.state, alert.severity, alert.count]),
    [
      [10, 'firing', 'warning', 1],
      [12, 'firing', 'critical', 1],
      [400, 'resolved', 'critical', 1],
      [401, 'firing', 'critical', 2],
    ],
  );
  t.match(changes[1]?.alert, { title: 'GPU error: XID 79', problem: /XID 13 \(2 times\), 31, 79 of gpu:0/ });
  t.equal(fired.length, 1);
});

t.test('what the kernel log repeats after a restart of the service is told once', async (t) => {
  const told = [error(5, 63), error(6, 63)];
  const { changes } = judgeGpu(200, (second) => ({ xids: second % 50 === 10 ? told : [] }));
  t.match(changes, [{ second: 10, alert: { severity: 'warning', state: 'firing' } }]);
});

t.test('an XID that nobody knows is only noted, and a line of any length is cut', async (t) => {
  const { fired } = judgeGpu(5, () => ({ xids: [error(1, 9999, 'x'.repeat(100_000))] }));
  t.match(fired, [{ severity: 'info', cause: { code: 'xid_9999', confidence: 0.3 } }]);
  t.ok(String(fired[0]?.evidence[1]?.value).length <= 301);
});

const ecc = (values: Record<string, number | null>) => ({ values: { ...GPU.values, ...values } });

t.test('an error that ECC could not mend is critical until the counter begins anew', async (t) => {
  const { fired } = judgeGpu(60, (second) => ecc({ eccErrors: second >= 10 && second < 40 ? 2 : 0 }));
  t.match(fired, [{ rule: 'gpu_ecc', severity: 'critical', state: 'resolved', result: 'the GPU was reset' }]);
  t.equal(fired[0] && firedAfterS(fired[0]), 10);
});

t.test('mended errors are noted when they come, not when they were there before', async (t) => {
  t.same(judgeGpu(60, () => ecc({ eccCorrected: 7 })).fired, []);
  const grown = judgeGpu(4000, (second) => ecc({ eccCorrected: second < 30 ? 7 : 9 })).fired;
  t.match(grown, [{ rule: 'gpu_ecc', severity: 'info', state: 'resolved', result: 'no more came' }]);
  t.match(grown[0]?.problem, /^ECC mended 2 errors in the memory of gpu:0/);
});

t.test('bad rows are a warning while they wait for a reset, and critical when they cannot be replaced', async (t) => {
  const { fired } = judgeGpu(30, (second) => ecc({ rowRemapPending: 1, rowRemapFailed: second < 10 ? 0 : 1 }));
  t.match(fired, [{ severity: 'critical', title: 'Bad GPU memory could not be replaced', state: 'firing' }]);
});

t.test('a GPU without ECC claims nothing, and an open alert says since when its counter is missing', async (t) => {
  t.same(judgeGpu(30, () => ecc({ eccErrors: null, eccCorrected: null })).changes, []);
  const { fired } = judgeGpu(30, (second) => ecc({ eccErrors: second < 10 ? 1 : null }));
  t.match(fired, [{ state: 'firing', noDataSince: START_AT + 10_000 }]);
});

t.test('a GPU that falls silent while others go on is lost, and found again', async (t) => {
  const { fired } = judgeGpu(60, (second) => ({ run, ...(second >= 10 && second < 40 ? { values: null } : {}) }));
  t.match(fired, [
    {
      rule: 'gpu_lost',
      severity: 'critical',
      run: 'r1',
      state: 'resolved',
      problem: 'gpu:0 has given nothing for 6 s, while other GPUs go on. The run train uses it.',
      result: 'gpu:0 answers again',
    },
  ]);
  t.equal(fired[0] && firedAfterS(fired[0]), 15);
});

t.test('a GPU that its driver calls lost is lost at once, also when it is the only one', async (t) => {
  const lost = { values: null, trouble: 'GPU is lost', othersAnswer: false };
  const { fired } = judgeGpu(30, (second) => (second < 10 ? {} : lost));
  t.match(fired, [{ rule: 'gpu_lost', problem: 'gpu:0 gives nothing. The driver says: "GPU is lost".' }]);
  t.equal(fired[0] && firedAfterS(fired[0]), 10);
});

t.test('no GPU is lost when all fall silent, none that was never there, and one taken out is forgotten', async (t) => {
  const gone = { values: null, trouble: 'the child died', othersAnswer: false };
  const staggered = (second: number) => (second === 30 ? { ...gone, othersAnswer: true } : gone);
  t.same(judgeGpu(31, (second) => (second < 10 ? {} : staggered(second))).fired, []);
  t.same(judgeGpu(60, () => ({ values: null })).fired, []);
  // A tick every 5 s is enough for a day of silence.
  const { fired } = judgeGpu(DAY_S + 60, (second) => (second < 5 ? {} : second % 5 === 0 ? { values: null } : null));
  t.match(fired, [{ rule: 'gpu_lost', state: 'resolved', result: 'gpu:0 was away for 24 h' }]);
});
