import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isActive, type Run } from '../../src/core/run.ts';
import { startService } from '../service.ts';
import { followRuns } from './follow-runs.ts';

const hasEnded = (run: Run) => !isActive(run);

const linesOf = (...events: readonly object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('');

const epochLine = (epoch: number) => ({
  t: Date.now(),
  kind: 'epoch',
  epoch,
  elapsedS: epoch * 2,
  metrics: { 'train/box_loss': 1 / epoch, 'metrics/mAP50-95(B)': 0.4, 'val/cls_loss': 'nan' },
});

t.test('a training that shares no disk is a run like any other', async (t) => {
  const folder = t.testdir({ runs: {} });
  const start = () =>
    startService(['--watch', join(folder, 'runs'), '--db', join(folder, 'history.db'), '--gpu', 'off']);
  let service = await start();
  t.teardown(() => service.stop());
  let told = await followRuns(service.url);
  const send = async (name: string, ...events: readonly object[]) => {
    const answer = await fetch(`${service.url}/api/v1/ingest?run=${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: linesOf(...events.map((event) => ({ t: Date.now(), ...event }))),
    });
    t.equal(answer.status, 200, await answer.clone().text());
  };
  const itemsOf = async ({ id }: Run, route: string): Promise<readonly unknown[]> => {
    // The route's answer, in the shape that the contract promises.
    return ((await (await fetch(`${service.url}/api/v1/runs/${id}/${route}`)).json()) as { items: unknown[] }).items;
  };

  await send(
    'night shift',
    { kind: 'start', pid: 1, framework: 'ultralytics 8.3.199', model: 'yolo11n.pt', parameters: 2_590_620 },
    { kind: 'args', epochs: 6, closeMosaic: 2, lr0: 0.01, lrf: 0.01, cosLr: true, warmupEpochs: 1 },
    { kind: 'phase', epoch: 1, phase: 'train' },
    { kind: 'batch', epoch: 1, batch: 4, batches: 8, loss: { box_loss: 0.41 }, dataS: 0.004, stepS: 0.33 },
    { kind: 'log', line: 'a word of its own' },
    { kind: 'classes', epoch: 1, mAP50: { train: 0.86 }, 'mAP50-95': { train: 0.7 } },
    epochLine(1),
    epochLine(2),
  );
  await send('day shift', { kind: 'args', epochs: 3 }, epochLine(1));
  const { run } = await told.until('night shift', ({ epochs }) => epochs === 2);
  t.match(run, { state: 'running', framework: 'ultralytics 8.3.199', model: 'yolo11n.pt', epochsPlanned: 6 });
  t.match(await itemsOf(run, 'epochs'), [
    { epoch: 1 },
    { epoch: 2, elapsedS: 4, nonFinite: { 'val/cls_loss': 'nan' } },
  ]);
  t.match(await itemsOf(run, 'batches'), [{ epoch: 1, batch: 4, loss: { box_loss: 0.41 }, dataS: 0.004 }]);
  t.match(await itemsOf(run, 'classes'), [{ epoch: 1 }]);
  t.match(await itemsOf(run, 'log'), [{ line: 'a word of its own' }]);

  await service.kill();
  service = await start();
  told = await followRuns(service.url);
  await send('night shift', epochLine(3));
  const { run: after } = await told.until('night shift', ({ epochs }) => epochs === 3);
  t.match(after, { id: run.id, state: 'running', attempts: 1, framework: 'ultralytics 8.3.199', epochsPlanned: 6 });
  t.equal((await itemsOf(run, 'epochs')).length, 3, 'it goes on across a restart');

  await send('night shift', { kind: 'end', reason: 'exception', error: 'RuntimeError: CUDA out of memory. Tried to' });
  await send('day shift', epochLine(2), epochLine(3), { kind: 'end', reason: 'finished' });
  const failed = await told.until('night shift', hasEnded);
  t.match(failed.run, { state: 'failed', stateReason: 'cuda_out_of_memory' });
  t.match((await told.until('day shift', hasEnded)).run, { state: 'finished', stateReason: 'all_epochs_done' });

  await send('night shift', { kind: 'start', pid: 2 }, epochLine(4));
  const again = await told.until('night shift', ({ epochs }) => epochs === 4);
  t.match(again.run, { state: 'running', attempts: 2 }, 'it goes on after an end');
  t.match(await itemsOf(run, 'attempts'), [
    { kind: 'start', epochs: 3 },
    { kind: 'resume', epochs: 1 },
  ]);

  const sidecar = join(folder, 'runs/detect/quiet/signalbox.ndjson');
  mkdirSync(join(sidecar, '..'), { recursive: true });
  writeFileSync(join(sidecar, '../args.yaml'), 'task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: 2\n');
  appendFileSync(sidecar, linesOf({ t: Date.now(), kind: 'start', pid: 1 }, epochLine(1)));
  t.match((await told.until('quiet', ({ epochs }) => epochs === 1)).run, { state: 'running' }, 'so does a sidecar');
  appendFileSync(sidecar, linesOf(epochLine(2), { t: Date.now(), kind: 'end', reason: 'finished' }));
  t.match((await told.until('quiet', hasEnded)).run, { state: 'finished', epochs: 2, stateReason: 'all_epochs_done' });
});
