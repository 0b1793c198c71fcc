import Database from 'better-sqlite3';
import type { Log } from '../../../src/core/log.ts';
import { DEFAULT_RETENTION, type Retention } from '../../../src/core/retention.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { createRetention } from '../../../src/store/retention/retention.ts';
import { createTransactions } from '../../../src/store/transaction.ts';
import { MIGRATIONS } from '../open-store.ts';

const HOUR = 3_600_000;

/** A database with the real schema, the retention on it, and hands to fill it. */
export const stage = (path: string, limits: Partial<Retention> = {}) => {
  const db = new Database(path);
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  migrate(db, MIGRATIONS);
  const warned: string[] = [];
  const log: Log = { info: () => {}, warn: (_facts, message) => warned.push(message), error: () => {} };
  const transactions = createTransactions(db, { beforeCommit: () => {}, afterCommit: () => {} });
  const keeping = createRetention({
    ...{ db, log, transaction: transactions.run },
    limits: { ...DEFAULT_RETENTION, maxBytes: Number.POSITIVE_INFINITY, ...limits },
  });
  const count = (table: string) => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
  return {
    db,
    warned,
    keeping,
    count,
    /** Steps until there is nothing more to do; returns how many. */
    settle: (now: number): number => {
      let steps = 1;
      while (keeping.step(now)) {
        db.pragma('wal_checkpoint(PASSIVE)');
        if (++steps > 5000) throw new Error('the retention finds no end');
      }
      db.pragma('wal_checkpoint(PASSIVE)');
      return steps;
    },
    /** Chunks of one subject, an hour each from `start` on, each sealed five minutes after its hour, of `bytes` noise. */
    putChunks: (table: 'raw_chunks' | 'minute_chunks', { start, hours, bytes = 100, subject = 1 }: Chunks) => {
      const put = db.prepare(
        `INSERT INTO ${table} (subject, start, sealed_at, rows, layout, body) VALUES (?, ?, ?, 1, 1, randomblob(?))`,
      );
      db.transaction(() => {
        for (let hour = 0; hour < hours; hour++) {
          put.run(subject, start + hour * HOUR, start + (hour + 1) * HOUR + 300_000, bytes);
        }
      })();
    },
    putHours: ({ start, hours, subject = 1 }: Chunks, metrics: readonly string[]) => {
      const put = db.prepare(
        'INSERT INTO hour_rollups (subject, metric, start, count, sum, min, max, last) VALUES (?, ?, ?, 1, 1, 1, 1, 1)',
      );
      db.transaction(() => {
        for (const metric of metrics)
          for (let hour = 0; hour < hours; hour++) put.run(subject, metric, start + hour * HOUR);
      })();
    },
  };
};

type Chunks = {
  readonly start: number;
  readonly hours: number;
  readonly bytes?: number;
  readonly subject?: number;
};
