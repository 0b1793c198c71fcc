import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isActive, type Run } from '../../src/core/run.ts';
import { startService } from '../service.ts';
import { startSimulation } from '../simulators/demo.js';
import { followRuns } from './follow-runs.ts';
import { noPython, standInWords, startStandIn } from './stand-in.ts';

const WITHIN_MS = 5000;
const hasEnded = (run: Run) => !isActive(run);
const hasProcess = ({ pids, epochs }: Run) => pids.length > 0 && epochs >= 3;

/** Trainings of 5 s an epoch that have three epochs behind them. */
const training = { startS: 0, epochs: 100, secondsPerEpoch: 5, seed: 3 };
const BEGAN_BEFORE_MS = 45_000;

t.jobs = 2;

t.test('on GPUs, each way to end is told within 5 s, and is another one', { buffered: true }, async (t) => {
  const folder = t.testdir({});
  const startAt = Date.now() - BEGAN_BEFORE_MS;
  const { runs, nvidiaSmi, stop } = startSimulation({
    folder,
    clock: { startAt, wallStartAt: startAt, speed: 1 },
    gpuCount: 3,
    trainings: [
      { ...training, name: 'killed', gpu: 0 },
      { ...training, name: 'interrupted', gpu: 1 },
      // Its GPU is full in its fifth epoch: at second 53.
      { ...training, name: 'overfull', gpu: 2, leak: { fromEpoch: 1, mibPerEpoch: 4200 } },
    ],
  });
  t.teardown(stop);
  const service = await startService(['--watch', runs, '--db', join(folder, 'history.db'), '--nvidia-smi', nvidiaSmi]);
  t.teardown(service.stop);
  const told = await followRuns(service.url);

  const end = async (name: string, signal: NodeJS.Signals) => {
    const { run } = await told.until(name, hasProcess);
    const endedAt = Date.now();
    process.kill(run.pids[0] ?? 0, signal);
    return { endedAt, ...(await told.until(name, hasEnded)) };
  };
  const [killed, interrupted, overfull] = await Promise.all([
    end('killed', 'SIGKILL'),
    end('interrupted', 'SIGINT'),
    told.until('overfull', hasEnded),
  ]);
  t.match(killed.run, { state: 'failed', stateReason: 'process_gone' });
  t.match(killed.run.stateEvidence[0], new RegExp(`its process ${killed.run.pids[0]} .*is gone since`));
  isSoon(t, killed.seenAt - killed.endedAt);
  t.match(interrupted.run, { state: 'stopped', stateReason: 'interrupted' });
  t.match(interrupted.run.stateEvidence[0], 'train.log: KeyboardInterrupt');
  isSoon(t, interrupted.seenAt - interrupted.endedAt);
  t.match(overfull.run, { state: 'failed', stateReason: 'cuda_out_of_memory', epochs: 4 });
  t.match(overfull.run.stateEvidence[0], /^train\.log: torch\.OutOfMemoryError: CUDA out of memory/);
  isSoon(t, overfull.seenAt - (overfull.run.endedAt ?? 0));
});

t.test('without a GPU, too, and none that lives has failed', { buffered: true, skip: noPython }, async (t) => {
  const folder = t.testdir({ runs: {} });
  const runs = join(folder, 'runs');
  const train = (name: string) => {
    const log = openSync(join(folder, `${name}.log`), 'w');
    const standIn = startStandIn(folder, standInWords(runs, name), log);
    closeSync(log);
    t.teardown(() => standIn.kill('SIGKILL'));
    standIn.tell('begin', 'epoch', 'epoch', 'epoch');
    return standIn;
  };
  const [killed, broken, orphan] = [train('killed'), train('broken'), train('orphan')];
  writeFileSync(join(folder, 'signalbox.yaml'), 'logs: ["*.log"]\n');
  const start = () =>
    startService(
      ['--watch', runs, '--db', join(folder, 'history.db'), '--gpu', 'off', '--config', join(folder, 'signalbox.yaml')],
      { INIT_CWD: folder },
    );
  let service = await start();
  t.teardown(() => service.stop());
  let told = await followRuns(service.url);

  await Promise.all(['killed', 'broken', 'orphan'].map((name) => told.until(name, hasProcess)));
  killed.kill('SIGKILL');
  broken.tell('traceback', 'epoch');
  const [gone, alive] = await Promise.all([
    told.until('killed', hasEnded),
    told.until('broken', ({ epochs }) => epochs === 4),
  ]);
  t.match(gone.run, { state: 'failed', stateReason: 'process_gone' });
  t.match(gone.run.stateEvidence[0], new RegExp(`its process ${killed.pid} .*is gone since`));
  isSoon(t, gone.seenAt - (await killed.ended));
  t.match(alive.run, { state: 'running', pids: [broken.pid] }, 'an exception that it outlived is no end');

  await service.kill();
  broken.tell('epoch');
  orphan.kill('SIGKILL');
  await orphan.ended;
  service = await start();
  told = await followRuns(service.url);
  t.match((await told.until('broken', ({ epochs }) => epochs === 5)).run, { state: 'running' });
  t.same([...new Set(told.statesOf('broken'))], ['running'], 'and a service that was down calls that no silence');
  broken.tell('break');
  const failed = await told.until('broken', hasEnded);
  t.match(failed.run, { state: 'failed', stateReason: 'error_in_log', epochs: 5 });
  t.match(failed.run.stateEvidence[0], 'broken.log: RuntimeError: the learning rate fell off a cliff');
  isSoon(t, failed.seenAt - (await broken.ended));
});

const isSoon = (t: Test, tookMs: number) => t.ok(tookMs < WITHIN_MS, `told after ${tookMs} ms`);
