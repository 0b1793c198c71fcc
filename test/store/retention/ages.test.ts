import t from 'tap';
import { T0 } from '../open-store.ts';
import { stage } from './stage.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Math.floor(T0 / HOUR) * HOUR;

t.test('samples of sealed hours go after 14 days and their minutes after 180, counted from the sealing', (t) => {
  const { db, count, settle, putChunks } = stage(':memory:');
  t.teardown(() => db.close());
  putChunks('raw_chunks', { start: START, hours: 100 });
  putChunks('minute_chunks', { start: START, hours: 100 });
  settle(START + 14 * DAY + 51 * HOUR);
  t.same([count('raw_chunks'), count('minute_chunks')], [50, 100]);
  t.equal(db.prepare('SELECT min(start) FROM raw_chunks').pluck().get(), START + 50 * HOUR, 'the oldest went');
  settle(START + 180 * DAY + 51 * HOUR);
  t.same([count('raw_chunks'), count('minute_chunks')], [0, 50]);
  t.end();
});

t.test('an old log that is imported today is as young as today', (t) => {
  const { db, count, settle, putChunks } = stage(':memory:');
  t.teardown(() => db.close());
  putChunks('raw_chunks', { start: START, hours: 24 });
  db.exec(`UPDATE raw_chunks SET sealed_at = ${START + 400 * DAY}`);
  settle(START + 400 * DAY + 13 * DAY);
  t.equal(count('raw_chunks'), 24);
  settle(START + 400 * DAY + 15 * DAY);
  t.equal(count('raw_chunks'), 0);
  t.end();
});

t.test('whole hours are kept for ever, and for as long as they are told to where they are', (t) => {
  const hours = { start: START, hours: 200 };
  const metrics = ['power', 'utilization', 'temperature'];
  const forEver = stage(':memory:');
  t.teardown(() => forEver.db.close());
  forEver.putHours(hours, metrics);
  forEver.settle(START + 10_000 * DAY);
  t.equal(forEver.count('hour_rollups'), 600);

  const { db, count, settle, putHours, putChunks } = stage(':memory:', { hourMs: 365 * DAY });
  t.teardown(() => db.close());
  for (const subject of [1, 2, 3]) putHours({ ...hours, subject }, metrics);
  putChunks('minute_chunks', { start: START, hours: 10, subject: 2 });
  db.exec(`UPDATE minute_chunks SET sealed_at = ${START + 365 * DAY}`);
  settle(START + 365 * DAY + 150 * HOUR);
  t.equal(count('hour_rollups'), 3 * 3 * 50 + 3 * 10, 'hours whose minutes are kept are young: they were imported');
  t.end();
});

t.test('what is too old goes in small steps', (t) => {
  const { db, count, keeping, putChunks } = stage(':memory:');
  t.teardown(() => db.close());
  putChunks('raw_chunks', { start: START, hours: 400 });
  const now = START + 100 * DAY;
  t.equal(keeping.step(now), true);
  t.ok(count('raw_chunks') >= 370, `${400 - count('raw_chunks')} in one step`);
  t.end();
});
