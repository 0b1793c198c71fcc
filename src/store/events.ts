import type { Database } from 'better-sqlite3';
import type { DurableTopic, Store, StreamEvent } from '../core/ports.ts';

/** The table of durable events, in the order in which they happened. */
export type Events = Pick<Store, 'cursor' | 'eventsAfter' | 'compareCursors' | 'addEvents'>;

/**
 * A cursor is `DATABASE.NUMBER`: the id of the database and the number of the event in it, 0 before the first. So a
 * cursor of another database is known as foreign, and one from before the oldest event kept as too old.
 */
export const createEvents = (db: Database): Events => {
  const database = db.prepare<[], string>(`SELECT value FROM meta WHERE key = 'id'`).pluck().get();
  const newest = db.prepare<[], number>(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`).pluck();
  const oldest = db.prepare<[], number | null>('SELECT min(cursor) FROM events').pluck();
  const insert = db.prepare<[Omit<Row, 'cursor'>]>(
    'INSERT INTO events (topic, at, run, body) VALUES (@topic, @at, @run, @body)',
  );
  const after = db.prepare<[{ cursor: number; topics: string; run: string | null; limit: number }], Row>(`
    SELECT * FROM events
    WHERE cursor > @cursor AND topic IN (SELECT value FROM json_each(@topics)) AND (@run IS NULL OR run = @run)
    ORDER BY cursor LIMIT @limit`);

  const newestNumber = () => newest.get() ?? 0;
  const cursorOf = (number: number | bigint) => `${database}.${number}`;
  /** NaN: not a cursor of this database. */
  const numberOf = (cursor: string): number => {
    const [owner, number = '', ...rest] = cursor.split('.');
    return owner === database && rest.length === 0 && /^\d{1,15}$/.test(number) ? Number(number) : Number.NaN;
  };

  return {
    cursor: () => cursorOf(newestNumber()),
    compareCursors: (a, b) => numberOf(a) - numberOf(b),
    addEvents: (events) =>
      events.map(({ topic, run, at, data }) => {
        const { lastInsertRowid } = insert.run({ topic, run, at, body: JSON.stringify(data) });
        return { topic, cursor: cursorOf(lastInsertRowid), at, run, gpu: gpuOf(data), data };
      }),
    eventsAfter: (cursor, { topics, run, limit }) => {
      const from = numberOf(cursor);
      const to = newestNumber();
      const isKnown = from >= (oldest.get() ?? to + 1) - 1 && from <= to;
      if (!isKnown) return null;
      const rows = after.all({ cursor: from, topics: JSON.stringify(topics), run: run ?? null, limit });
      const last = rows.at(-1);
      return {
        events: rows.map((row): StreamEvent => {
          const data: StreamEvent['data'] = JSON.parse(row.body);
          return { topic: row.topic, cursor: cursorOf(row.cursor), at: row.at, run: row.run, gpu: gpuOf(data), data };
        }),
        scannedTo: cursorOf(last !== undefined && rows.length === limit ? last.cursor : to),
      };
    },
  };
};

type Row = { cursor: number; topic: DurableTopic; at: number; run: string | null; body: string };

/** The index of the GPU that an alert is about; no other durable item is about one. */
const gpuOf = (data: StreamEvent['data']): number | null => {
  const index = 'rule' in data ? /^gpu:(\d+)$/.exec(data.gpu ?? '')?.[1] : undefined;
  return index === undefined ? null : Number(index);
};
