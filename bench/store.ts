import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../src/core/ports.ts';
import { sizesIn } from './database-sizes.ts';
import { percentile, type Report } from './figures.ts';
import { HOUR_MS, hoursOf, POINTS } from './history-data.ts';
import { fillStore, openBenchStore, samplesOf } from './history-database.ts';
import { DAY } from './history-questions.ts';

/** When the day is over and its last hour is due to be sealed. */
const DAY_TO = Math.max(...DAY.map(({ to }) => to));
const AFTER = DAY_TO + HOUR_MS / 10;
const PARTS = { raw: 'raw_chunks', minutes: 'minute_chunks', hours: 'hour_rollups', layouts: 'layouts' } as const;
const TICK_EVERY_MS = 100;
/** The store writes once in so many ticks: only so many together have a price. */
const TICKS_A_WRITE = 10;
const WARM_UP_TICKS = 300;
const MEASURED_WRITES = 60;

/**
 * The size of the day of 8 GPUs once it is sealed: `sealed` is the whole file but for its free pages, of which the store
 * keeps a few MB for the next samples however long the history is; `raw` and the others are its parts. Then what a tick costs that is taken
 * into that store, at 10 Hz: CPU time, what is handed to the kernel (the log, and its way into the database file), and
 * what of that is for a disk.
 */
export const measure = async (report: Report): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const path = join(folder, 'bench.db');
  const store = openBenchStore(path);
  await fillStore(store, DAY, { sealTo: DAY_TO, now: AFTER });
  store.close();
  const { tables, free } = sizesIn(path);
  const file = statSync(path).size;
  report('sealed', (file - free) / POINTS, 'bytes a point');
  for (const [figure, table] of Object.entries(PARTS)) {
    report(figure, (tables.get(table) ?? 0) / POINTS, 'bytes a point');
  }
  report('file', file / 1e6, 'MB');
  report('free', free / 1e6, 'MB');

  const again = openBenchStore(path);
  const tick = await priceOfTicks(again);
  report('tick', tick.cpuUs, 'µs');
  report('tick_handed', tick.handedBytes / 1000, 'KB');
  report('tick_disk', tick.diskBytes / 1000, 'KB');
  again.close();
  rmSync(folder, { recursive: true });
};

/** The median over the writes, and the bytes of all of them with the housekeeping of that minute; each for one tick. */
const priceOfTicks = async (store: Store) => {
  const hour = DAY.map((stretch) =>
    [...hoursOf({ ...stretch, from: DAY_TO, to: DAY_TO + HOUR_MS })].flatMap((columns) =>
      samplesOf(stretch.gpu, columns),
    ),
  );
  const take = (tick: number): void => {
    const samples = hour.flatMap((ofGpu) => ofGpu[tick] ?? []);
    store.transaction(() => store.appendSamples(samples));
  };
  // As in a service that has been up for a while.
  for (let tick = 0; tick < WARM_UP_TICKS; tick++) take(tick);
  store.maintain(AFTER);

  const before = writtenBytes();
  const costs: number[] = [];
  for (let write = 0; write < MEASURED_WRITES; write++) {
    let us = 0;
    for (let i = 0; i < TICKS_A_WRITE; i++) {
      await sleep(TICK_EVERY_MS);
      const start = process.cpuUsage();
      take(WARM_UP_TICKS + write * TICKS_A_WRITE + i);
      const { user, system } = process.cpuUsage(start);
      us += user + system;
    }
    costs.push(us / TICKS_A_WRITE);
  }
  store.maintain(AFTER);
  await store.settled();
  const after = writtenBytes();
  const ticks = MEASURED_WRITES * TICKS_A_WRITE;
  return {
    cpuUs: percentile(costs, 0.5),
    handedBytes: (after.handed - before.handed) / ticks,
    diskBytes: (after.disk - before.disk) / ticks,
  };
};

/** Of this process, from proc_pid_io(5): what was given to write(), and what of it is for a disk (0 on a tmpfs). */
const writtenBytes = (): { readonly handed: number; readonly disk: number } => {
  const io = readFileSync('/proc/self/io', 'utf8');
  return { handed: Number(/wchar: (\d+)/.exec(io)?.[1]), disk: Number(/write_bytes: (\d+)/.exec(io)?.[1]) };
};
