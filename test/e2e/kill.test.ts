import { once } from 'node:events';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import WebSocket from 'ws';
import { type Service, startService } from '../service.ts';

/** `KILLS=20 npx tap test/e2e/kill.test.ts` is the long version. */
const KILLS = Number(process.env.KILLS ?? 5);
const HEADER = 'epoch,time,train/box_loss,metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,lr/pg0\n';

type Frame = { op: string; topic?: string; cursor?: string; data?: { epoch: number; run: string } };

/** The answer of a route, in the shape that the contract promises. */
const getJson = async <T>(url: string): Promise<T> => (await fetch(url)).json() as Promise<T>;

/** A client that keeps every epoch it was told of and the cursor that it has come to. */
const listen = async (service: Service, after: string | null) => {
  const socket = new WebSocket(`${service.url.replace('http', 'ws')}/api/v1/stream`, 'signalbox.v1');
  const state = { epochs: [] as number[], cursor: after, resets: 0, socket };
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.on('message', (text) => {
      const frame: Frame = JSON.parse(String(text));
      if (frame.op === 'welcome') state.cursor ??= frame.cursor ?? null;
      if (frame.op === 'subscribed') resolve();
      if (frame.op === 'reset') state.resets++;
      if (frame.op !== 'event' || frame.topic !== 'epochs' || !frame.data) return;
      state.epochs.push(frame.data.epoch);
      state.cursor = frame.cursor ?? state.cursor;
    });
    socket.on('open', () => {
      const resume = after === null ? {} : { after };
      socket.send(JSON.stringify({ op: 'subscribe', topics: ['epochs'], ...resume }));
    });
  });
  return state;
};

t.test(
  'killed again and again while a file grows: no epoch lost or doubled, and a client with its cursor misses nothing',
  async (t) => {
    const folder = t.testdir({ runs: {} });
    const run = join(folder, 'runs/detect/train');
    const results = join(run, 'results.csv');
    const start = () =>
      startService(['--watch', join(folder, 'runs'), '--db', join(folder, 'history.db'), '--gpu', 'off']);

    // The trainer goes on whatever happens to the service; rows arrive whole, in two halves, or several at once.
    let epoch = 0;
    const rowOf = (e: number) => `${e},${e * 60},${(1 / e).toFixed(5)},0.5,0.4,${(1.1 / e).toFixed(5)},0.01\n`;
    const write = (count: number, split: boolean) => {
      const rows = Array.from({ length: count }, () => rowOf(++epoch)).join('');
      const half = split ? Math.floor(rows.length / 2) : 0;
      appendFileSync(results, (epoch === count ? HEADER : '') + rows.slice(0, half));
      appendFileSync(results, rows.slice(half));
    };
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'args.yaml'), 'task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: 10000\npatience: 0\n');

    let living: Service | null = null;
    t.teardown(() => living?.kill());
    const seen: number[] = [];
    let cursor: string | null = null;
    let resets = 0;
    for (let round = 0; round <= KILLS; round++) {
      const service = await start();
      living = service;
      const client = await listen(service, cursor);
      write(1 + (round % 3), round % 2 === 0);
      while (client.epochs.length === 0) await once(client.socket, 'message');
      write(1 + (round % 2), round % 2 === 1);
      // The kill falls into whatever the service is doing with the last rows.
      await sleep(round % 5);
      await service.kill();
      if (client.socket.readyState !== WebSocket.CLOSED) await once(client.socket, 'close');
      write(2, false);
      seen.push(...client.epochs);
      cursor = client.cursor;
      resets += client.resets;
    }

    const service = await start();
    t.teardown(() => service.stop());
    const client = await listen(service, cursor);
    while (seen.length + client.epochs.length < epoch) await once(client.socket, 'message');
    seen.push(...client.epochs);
    client.socket.terminate();
    const expected = Array.from({ length: epoch }, (_, i) => i + 1);
    t.same(seen, expected, 'the client was told of every epoch once and in order');
    t.equal(resets, 0, 'and its cursor was never refused');

    const { items: runs } = await getJson<{ items: { id: string }[] }>(`${service.url}/api/v1/runs`);
    t.equal(runs.length, 1);
    const { items } = await getJson<{ items: { epoch: number; attempt: number }[] }>(
      `${service.url}/api/v1/runs/${runs[0]?.id}/epochs?limit=10000`,
    );
    t.same(
      items.map((row) => row.epoch),
      expected,
      'the store holds every epoch once',
    );
    t.same(
      items.map((row) => row.attempt),
      expected.map(() => 1),
      'as one attempt',
    );
  },
);
