import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { randomOf } from '../test/rules/rows.ts';
import { startService } from '../test/service.ts';
import { percentile, type Report } from './figures.ts';

const HEADER =
  'epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/precision(B),metrics/recall(B),metrics/mAP50(B),' +
  'metrics/mAP50-95(B),val/box_loss,val/cls_loss,val/dfl_loss,lr/pg0,lr/pg1,lr/pg2\n';
const PACED_ROWS = 200;
const BURST_ROWS = 600;

/** Row appended → WebSocket client has it, paced and in bursts of 0 to 70 ms, and how many rows never came. */
export const measure = async (report: Report): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const run = join(folder, 'runs/detect/train');
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'args.yaml'), 'task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: 100000\npatience: 0\n');
  const results = join(run, 'results.csv');
  const service = await startService(['--watch', join(folder, 'runs'), '--db', join(folder, 'bench.db')]);
  const socket = new WebSocket(`${service.url.replace('http', 'ws')}/api/v1/stream`, 'signalbox.v1');
  const arrivedAt = new Map<number, number>();
  const subscribed = new Promise<void>((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify({ op: 'subscribe', topics: ['epochs'] })));
    socket.on('message', (text) => {
      const at = performance.now();
      const frame = JSON.parse(String(text));
      if (frame.op === 'subscribed') resolve();
      if (frame.op === 'event' && frame.topic === 'epochs') arrivedAt.set(frame.data.epoch, at);
    });
  });
  await subscribed;

  const writtenAt = new Map<number, number>();
  const random = randomOf(1);
  let epoch = 0;
  const append = () => {
    epoch += 1;
    const loss = (0.5 + 1 / epoch + 0.01 * random()).toPrecision(6);
    const row = `${epoch},${(epoch * 60 + random()).toPrecision(6)},${loss},${loss},${loss},0.9,0.9,0.9,0.7,${loss},${loss},${loss},0.01,0.01,0.01\n`;
    // As Ultralytics does: opened, one write, closed. The clock starts with the write.
    const file = openSync(results, 'a');
    writtenAt.set(epoch, performance.now());
    writeSync(file, epoch === 1 ? HEADER + row : row);
    closeSync(file);
  };
  const arrivals = async () => {
    for (let waitedMs = 0; arrivedAt.size < writtenAt.size && waitedMs < 5000; waitedMs += 20) await sleep(20);
  };
  const delays = (from: number) =>
    [...writtenAt]
      .filter(([e]) => e > from)
      .flatMap(([e, at]) => (arrivedAt.has(e) ? [(arrivedAt.get(e) ?? 0) - at] : []));

  append();
  await arrivals();
  // Some rows that do not count: the code they run through gets warm, as it is in a service that has been up for a while.
  for (let i = 0; i < 20; i++) {
    await sleep(50);
    append();
  }
  await arrivals();

  const pacedFrom = epoch;
  for (let i = 0; i < PACED_ROWS; i++) {
    await sleep(100);
    append();
  }
  await arrivals();
  const paced = delays(pacedFrom);
  report('paced_p50', percentile(paced, 0.5), 'ms');
  report('paced_p99', percentile(paced, 0.99), 'ms');

  const burstFrom = epoch;
  for (let i = 0; i < BURST_ROWS; i++) {
    const pause = Math.floor(random() * 71);
    if (pause > 0) await sleep(pause);
    append();
  }
  await arrivals();
  const burst = delays(burstFrom);
  report('burst_p50', percentile(burst, 0.5), 'ms');
  report('burst_p99', percentile(burst, 0.99), 'ms');
  report('missed', writtenAt.size - arrivedAt.size, 'rows');

  socket.terminate();
  await service.stop();
  rmSync(folder, { recursive: true });
};
