import { closeSync, openSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';
import { encodeChunk } from '../../src/store/chunks/chunk.ts';
import { observed, rows } from './observed.ts';
import { open, T0 } from './open-store.ts';

const HOUR = 3_600_000;
export const START = Math.ceil(T0 / HOUR) * HOUR;

/** A closed database with a run of `epochs` epochs, and sealed hours of a GPU: each a sample a second, its power rising. */
export const makeDatabase = (path: string, { epochs = 2000, hours = 8 } = {}): { run: string } => {
  const store = open(path);
  const run = store.observeRun(observed({ rows: rows(1, epochs) }), 'trainer', T0).id;
  store.saveGpus(
    [{ uuid: 'GPU-a', index: 0, name: 'NVIDIA A100', driver: '550', memoryTotal: 1, powerLimit: 400 }],
    T0,
  );
  store.appendSamples([
    { subject: 'gpu:GPU-a', at: START + hours * HOUR, values: { power: 1 } },
    { subject: 'gpu:GPU-a', at: START + hours * HOUR + 1000, values: { power: 2, fan: 30 } },
  ]);
  store.close();
  const db = new Database(path);
  db.transaction(() => {
    for (let hour = 0; hour < hours; hour++) {
      const at = Float64Array.from({ length: 3600 }, (_, i) => START + hour * HOUR + i * 1000);
      const power = at.map((moment) => Math.floor(Math.sin(moment) * 100));
      const { names, body } = encodeChunk({ at, columns: new Map([['power', power]]) });
      db.prepare('INSERT OR IGNORE INTO layouts (names) VALUES (?)').run(JSON.stringify(names));
      db.prepare(`
        INSERT INTO raw_chunks (subject, start, sealed_at, rows, layout, body)
        VALUES ((SELECT id FROM subjects WHERE name = 'gpu:GPU-a'), ?, ?, 3600,
          (SELECT id FROM layouts WHERE names = ?), ?)`).run(
        START + hour * HOUR,
        START + (hour + 1) * HOUR,
        JSON.stringify(names),
        body,
      );
    }
  })();
  db.close();
  return { run };
};

/** Overwrites the `share`th part of the leaf pages of a table, 0 to 1, with noise. */
export const damagePage = (path: string, table: string, share: number): void => {
  const db = new Database(path, { readonly: true });
  const pages = db
    .prepare<[string], number>(`SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path`)
    .pluck()
    .all(table);
  db.close();
  const page = pages[Math.floor(share * pages.length)];
  if (page === undefined) throw new Error(`${table} has no leaf page`);
  overwrite(path, (page - 1) * 4096, 4096);
};

export const overwrite = (path: string, at: number, bytes: number): void => {
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, at);
  closeSync(descriptor);
};
