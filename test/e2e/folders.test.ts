import { appendFileSync, closeSync, cpSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isActive, type Run } from '../../src/core/run.ts';
import { startService } from '../service.ts';
import { followRuns } from './follow-runs.ts';
import { noPython, standInWords, startStandIn } from './stand-in.ts';

const HEADER = 'epoch,time,train/box_loss,metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,lr/pg0\n';
const rowOf = (epoch: number) => `${epoch},${epoch * 60},${(1 / epoch).toFixed(5)},0.5,0.4,0.6,0.01\n`;
const hasEnded = (run: Run) => !isActive(run);

const begin = (folder: string) => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'args.yaml'), 'task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: 50\npatience: 0\n');
  writeFileSync(join(folder, 'results.csv'), HEADER + rowOf(1));
};

t.test('a run folder that is moved, deleted and made again, and a copy of it', async (t) => {
  const folder = t.testdir({ runs: {} });
  const runs = join(folder, 'runs');
  const service = await startService(['--watch', runs, '--db', join(folder, 'history.db'), '--gpu', 'off']);
  t.teardown(service.stop);
  const told = await followRuns(service.url);
  begin(join(runs, 'train'));
  const { run: first } = await told.until('train', ({ epochs }) => epochs === 1);

  renameSync(join(runs, 'train'), join(runs, 'moved'));
  const { run: moved } = await told.until('moved', () => true);
  t.equal(moved.id, first.id, 'a renamed folder is the same run');
  appendFileSync(join(runs, 'moved/results.csv'), rowOf(2));
  await told.until('moved', ({ epochs }) => epochs === 2);

  begin(join(runs, 'train'));
  const { run: second } = await told.until('train', ({ id }) => id !== first.id);
  t.notOk(hasEnded(second), 'another folder at its old path is another run');

  cpSync(join(runs, 'moved'), join(runs, 'copy'), { recursive: true, preserveTimestamps: true });
  const { run: copy } = await told.until('copy', ({ epochs }) => epochs === 2);
  t.notOk([first.id, second.id].includes(copy.id), 'a copy is a run of its own');

  rmSync(join(runs, 'moved'), { recursive: true });
  begin(join(runs, 'moved'));
  await told.until('moved', ({ id, epochs }) => id !== first.id && epochs === 1);
  const { run: gone } = await told.until('moved', (run) => run.id === first.id && hasEnded(run));
  t.match(gone, { state: 'stopped', stateReason: 'folder_replaced', epochs: 2 }, 'one that is made anew ends the old');
});

t.test('one log outside of two run folders, and looks by the clock alone', { skip: noPython }, async (t) => {
  const folder = t.testdir({ runs: {}, logs: {}, 'signalbox.yaml': 'logs: ["logs/*.log"]\n' });
  const train = (name: string, ...words: readonly string[]) => {
    const log = openSync(join(folder, 'logs/night.log'), 'a');
    const training = startStandIn(folder, standInWords('runs', name), log);
    closeSync(log);
    t.teardown(() => training.kill('SIGKILL'));
    training.tell(...words);
    return training;
  };
  await train('first', 'begin', 'epoch', 'finish').ended;
  const training = train('second', 'begin', 'epoch');
  const flags = ['--db', join(folder, 'history.db'), '--gpu', 'off', '--polling', 'always'];
  const service = await startService(
    ['--watch', join(folder, 'runs'), '--config', join(folder, 'signalbox.yaml'), ...flags],
    { INIT_CWD: folder },
  );
  t.teardown(service.stop);
  const told = await followRuns(service.url);
  await told.until('second', ({ epochs }) => epochs === 1);
  training.tell('epoch');
  const writtenAt = Date.now();
  const { seenAt } = await told.until('second', ({ epochs }) => epochs === 2);
  t.ok(seenAt - writtenAt < 3000, `a row is told after ${seenAt - writtenAt} ms`);
  training.tell('break');
  t.match((await told.until('first', hasEnded)).run, { state: 'finished', stateReason: 'said_finished' });
  t.match((await told.until('second', hasEnded)).run, { state: 'failed', stateReason: 'error_in_log' });
});
