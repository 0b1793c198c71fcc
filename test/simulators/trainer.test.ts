import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

type Simulation = import('./scenario.js').Simulation;
type TrainingPlan = import('./scenario.js').TrainingPlan;

/** Starts a trainer; the simulated time is `speed` times as fast as ours. */
const train = (t: Test, changes: Partial<TrainingPlan>, speed: number) => {
  const folder = t.testdir({});
  const simulationFile = join(folder, 'simulation.json');
  const startAt = Date.now();
  const simulation: Simulation = {
    clock: { startAt, wallStartAt: startAt, speed },
    driver: '550.163.01',
    gpus: [{ uuid: 'GPU-a', name: 'NVIDIA A100-PCIE-40GB', memoryMib: 40_960, powerLimit: 250 }],
    trainings: [{ name: 'exp1', startS: 0, epochs: 3, secondsPerEpoch: 60, seed: 7, ...changes }],
    pidFolder: folder,
  };
  writeFileSync(simulationFile, JSON.stringify(simulation));
  const script = fileURLToPath(new URL('./trainer.js', import.meta.url));
  const child = spawn(process.execPath, [script, 'train', 'name=exp1', `project=${folder}`], {
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS: '', SIGNALBOX_SIMULATION: simulationFile },
  });
  t.teardown(() => child.kill('SIGKILL'));
  const run = join(folder, 'exp1');
  return {
    child,
    startAt,
    pidFile: join(folder, 'exp1.pid'),
    read: (name: string) => readFileSync(join(run, name), 'utf8'),
    mtimeOf: (name: string) => statSync(join(run, name)).mtimeMs,
    ended: once(child, 'exit'),
  };
};

t.test('a training leaves the folder that Ultralytics leaves, dated by the simulated time', async (t) => {
  const { ended, read, mtimeOf, startAt, pidFile } = train(t, { lossSpike: { epoch: 2, factor: 2 } }, 600);
  t.same(await ended, [0, null]);
  const [header = '', ...rows] = read('results.csv').trimEnd().split('\n');
  t.match(header, /^epoch,time,train\/box_loss,train\/cls_loss,train\/dfl_loss,metrics\/precision\(B\),.*,lr\/pg2$/);
  t.same(
    rows.map((row) => row.split(',').slice(0, 2).join(' ')),
    ['1 59', '2 119', '3 179'],
    'epoch and time',
  );
  const [first = 0, second = 0, third = 0] = rows.map((row) => Number(row.split(',')[2]));
  t.ok(second > 1.7 * first && third < first, 'the spike that was asked for');
  t.match(read('args.yaml'), /^epochs: 3$/m);
  t.match(
    read('train.log'),
    / {8}3\/3 .*100% ━━━━━━━━━━━━ 732\/732[\s\S]*3 epochs completed in[\s\S]*Results saved to/,
  );
  t.ok(Math.abs(mtimeOf('results.csv') - startAt - 209_000) < 1000, 'the last row is as old as it says');
  t.ok(mtimeOf('results.png') > mtimeOf('results.csv'), 'results.png comes last');
  t.ok(mtimeOf('weights/last.pt') > 0 && mtimeOf('weights/best.pt') > 0);
  t.notOk(existsSync(pidFile));
});

t.test('a training whose memory grows past its GPU fails with CUDA out of memory', async (t) => {
  const changes = { epochs: 50, secondsPerEpoch: 20, leak: { fromEpoch: 1, mibPerEpoch: 9000 } };
  const { ended, read } = train(t, changes, 600);
  t.same(await ended, [1, null]);
  t.match(read('train.log'), /torch\.OutOfMemoryError: CUDA out of memory\./);
  t.equal(read('results.csv').trimEnd().split('\n').length, 3, 'the header and the two epochs before');
});

t.test('a training that diverges writes nan, as the trainer does', async (t) => {
  const { ended, read } = train(t, { epochs: 2, secondsPerEpoch: 20, nanFromEpoch: 2 }, 600);
  await ended;
  t.match(read('results.csv').split('\n')[2], /^2,[\d.]+,nan,nan,nan,0\.\d+/);
});

t.test('SIGTERM ends a training as a KeyboardInterrupt, between two rows', async (t) => {
  const { ended, read, child, pidFile } = train(t, { epochs: 100 }, 60);
  while (!existsSync(pidFile)) await pause(10);
  child.kill('SIGTERM');
  t.same(await ended, [130, null]);
  t.match(read('train.log'), /Traceback[\s\S]*KeyboardInterrupt/);
  t.notOk(existsSync(pidFile));
});
