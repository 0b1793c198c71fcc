import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { Value } from 'typebox/value';
import { ReadinessSchema } from '../src/core/service.ts';
import { randomOf } from '../test/rules/rows.ts';
import { type Service, startService } from '../test/service.ts';
import type { Report } from './figures.ts';

const RUNS = 1000;
const EPOCHS = 300;
const MANY_RUNS = 10_000;
const MANY_EPOCHS = 20;
const HEADER =
  'epoch,time,train/box_loss,train/cls_loss,train/dfl_loss,metrics/precision(B),metrics/recall(B),metrics/mAP50(B),' +
  'metrics/mAP50-95(B),val/box_loss,val/cls_loss,val/dfl_loss,lr/pg0,lr/pg1,lr/pg2\n';

/**
 * Years of runs that are found at once. `live`: from the start of the process until the last of them is in every answer;
 * `judged`: until the rules have judged them all, which they do beside the rest; `restart`: the same start again.
 */
export const measure = async (report: Report): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const runs = join(folder, 'runs');
  const db = join(folder, 'bench.db');
  writeRuns(runs, RUNS, EPOCHS);
  const startedAt = performance.now();
  const first = await startService(['--watch', runs, '--db', db, '--gpu', 'off']);
  await allKnown(db, RUNS);
  report('live', (performance.now() - startedAt) / 1000, 's');
  await allJudged(db);
  report('judged', (performance.now() - startedAt) / 1000, 's');
  await first.stop();

  const restartedAt = performance.now();
  const second = await startService(['--watch', runs, '--db', db, '--gpu', 'off']);
  await hasLooked(second);
  report('restart', (performance.now() - restartedAt) / 1000, 's');
  await second.stop();
  rmSync(folder, { recursive: true });

  const many = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  writeRuns(join(many, 'runs'), MANY_RUNS, MANY_EPOCHS);
  const places = ['--watch', join(many, 'runs'), '--db', join(many, 'bench.db'), '--gpu', 'off'];
  const third = await startService(places);
  await allKnown(join(many, 'bench.db'), MANY_RUNS);
  report('rss_found', residentMb(third.pid), 'MB');
  await third.stop();
  const fourth = await startService(places);
  await hasLooked(fourth);
  await sleep(10_000);
  report('rss_known', residentMb(fourth.pid), 'MB');
  await fourth.stop();
  rmSync(many, { recursive: true });
};

/** Finished runs of a year ago, an hour apart. */
const writeRuns = (folder: string, count: number, epochs: number): void => {
  const random = randomOf(7);
  for (let run = 0; run < count; run++) {
    const path = join(folder, `train${run}`);
    mkdirSync(path, { recursive: true });
    const rows = Array.from({ length: epochs }, (_, index) => rowOf(index + 1, epochs, random));
    const endedS = Date.UTC(2025, 0, 1) / 1000 + run * 3600;
    writeFileSync(join(path, 'args.yaml'), `task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: ${epochs}\n`);
    utimesSync(join(path, 'args.yaml'), endedS - epochs * 60, endedS - epochs * 60);
    writeFileSync(join(path, 'results.csv'), HEADER + rows.join(''));
    utimesSync(join(path, 'results.csv'), endedS, endedS);
  }
};

const rowOf = (epoch: number, epochs: number, random: () => number): string => {
  const loss = 0.5 + 1.2 * Math.exp(-epoch / 40);
  const map = 0.9 * (1 - Math.exp(-epoch / 25));
  const lr = 0.01 * (1 - epoch / epochs);
  const values = [loss, loss, loss, map, map, map, 0.7 * map, loss, loss, loss, lr, lr, lr];
  const cells = values.map((value) => (value * (1 + 0.01 * (random() - 0.5))).toPrecision(5));
  return `${[epoch, epoch * 60, ...cells].join(',')}\n`;
};

/** Resolves when so many runs stand in the database with their end: what every answer of the service comes from. */
const allKnown = (db: string, count: number): Promise<void> =>
  untilIn(db, "SELECT count(*) FROM runs WHERE state IN ('finished', 'early_stopped', 'stopped', 'failed')", count);

/** Resolves when the rules have judged every run. */
const allJudged = (db: string): Promise<void> => untilIn(db, 'SELECT count(*) FROM put_off', 0);

const untilIn = async (db: string, query: string, wanted: number): Promise<void> => {
  const reader = new Database(db, { readonly: true });
  const count = reader.prepare<[], number>(query).pluck();
  while (count.get() !== wanted) await sleep(50);
  reader.close();
};

/** Resolves when the service has been through all folders once. */
const hasLooked = async ({ url }: Service): Promise<void> => {
  for (;;) {
    const readiness: unknown = await (await fetch(`${url}/readyz`)).json();
    if (!Value.Check(ReadinessSchema, readiness)) throw new Error('/readyz: expected collectors');
    const finder = readiness.collectors.find(({ name }) => name === 'run-finder');
    if (typeof finder?.lastSuccessAt === 'number') return;
    await sleep(20);
  }
};

const residentMb = (pid: number): number =>
  (Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024) / 1e6;
