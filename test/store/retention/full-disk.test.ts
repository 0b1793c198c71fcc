import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { observed, rows } from '../observed.ts';
import { open, T0 } from '../open-store.ts';
import { stage } from './stage.ts';

const HOUR = 3_600_000;
const START = Math.floor(T0 / HOUR) * HOUR;
const MIB = 2 ** 20;

/** A disk of a few MiB; a text: why there is none. */
const mountSmallDisk = (folder: string, size: string): string | null => {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  return status === 0 ? null : `no small disk can be mounted here: ${error?.message ?? String(stderr).trim()}`;
};

/** Fills what is left of the disk. */
const fill = (path: string): void => {
  try {
    writeFileSync(path, Buffer.alloc(64 * MIB));
  } catch {
    // It holds what fitted.
  }
};

// Not a testdir: those are cleared before a teardown could unmount it.
const disk = mkdtempSync(join(tmpdir(), 'signalbox-disk-'));
const why = mountSmallDisk(disk, '16m');
t.teardown(() => {
  if (why === null) spawnSync('umount', ['-l', disk]);
  rmdirSync(disk);
});

t.test('on a small disk', { skip: why ?? false }, async (t) => {
  t.test('that is nearly full, the oldest samples go and their space with them; hours stay', async (t) => {
    const path = join(disk, 'history.db');
    const { db, keeping, warned, count, putChunks, putHours } = stage(path);
    putChunks('raw_chunks', { start: START, hours: 60, bytes: 50_000 });
    putHours({ start: START, hours: 100 }, ['power']);
    db.pragma('wal_checkpoint(TRUNCATE)');
    const { size } = statSync(path);
    const ballast = join(disk, 'checkpoint.pt');
    // 600 KiB are left: less than 5 % of 16 MiB.
    writeFileSync(ballast, Buffer.alloc(16 * MIB - size - 600 * 1024));
    for (let step = 0; step < 5; step++) {
      keeping.step(START);
      db.pragma('wal_checkpoint(PASSIVE)');
    }
    t.equal(warned.length, 1, 'it is said once');
    t.match(warned[0], /nearly full/);
    t.ok(count('raw_chunks') > 0 && count('raw_chunks') < 60);
    t.ok(statSync(path).size < size, 'the file is smaller');
    t.equal(db.prepare('SELECT min(start) FROM raw_chunks').pluck().get(), START + (60 - count('raw_chunks')) * HOUR);
    t.equal(count('hour_rollups'), 100);
    rmSync(ballast);
    for (let step = 0; step < 3; step++) keeping.step(START);
    t.equal(keeping.warning(), null, 'with room again all is well');
    t.equal(db.pragma('integrity_check', { simple: true }), 'ok');
    db.close();
    rmSync(path);
  });

  t.test(
    'that is full, reads go on, samples are kept for a while and counted, and all goes on by itself',
    async (t) => {
      const path = join(disk, 'full.db');
      const store = open(path);
      const { id } = store.observeRun(observed({ rows: rows(1, 3) }), 'trainer', T0);
      const ballast = join(disk, 'checkpoint.pt');
      fill(ballast);
      const refused: string[] = [];
      for (let tick = 0; tick < 1200; tick += 20) {
        const samples = Array.from({ length: 20 }, (_, i) => ({
          ...{ subject: 'gpu:GPU-a', at: T0 + (tick + i) * 1000, values: { power: tick } },
        }));
        try {
          store.appendSamples(samples);
        } catch (error) {
          refused.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
        }
      }
      t.same([...new Set(refused)], ['SQLITE_FULL']);
      const { writable, samplesLost } = store.health();
      t.equal(writable, false);
      t.equal(store.rowsOf(id).length, 3, 'what was stored is read');
      const kept = store.samplesSince('gpu:GPU-a', 0);
      t.equal(kept.at(-1)?.at, T0 + 1_199_000, 'the newest samples are there');
      t.ok(kept.length >= 600, `${kept.length}`);
      t.equal(kept.length + samplesLost, 1200, 'the others are counted');
      t.ok(samplesLost > 0);

      rmSync(ballast);
      store.flushSamples();
      t.equal(store.health().writable, true);
      store.close();
      const db = new Database(path, { readonly: true });
      t.equal(db.pragma('integrity_check', { simple: true }), 'ok');
      t.equal(db.prepare('SELECT count(*) FROM gpu_samples').pluck().get(), kept.length);
      db.close();
    },
  );
});
