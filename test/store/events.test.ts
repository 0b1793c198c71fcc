import { join } from 'node:path';
import t from 'tap';
import type { DurableTopic, Store } from '../../src/core/ports.ts';
import { observed } from './observed.ts';
import { open, T0 } from './open-store.ts';

const ALL: DurableTopic[] = ['runs', 'epochs', 'alerts'];

/** Adds one event a topic about a run that is in the store, and returns their cursors. */
const add = (store: Store, topics: readonly DurableTopic[], at = T0) => {
  const { id } = store.observeRun(observed(), 'trainer', T0);
  const data = store.getRun(id);
  if (!data) throw new Error('the run is not there');
  return store.addEvents(topics.map((topic) => ({ topic, run: id, at, data }))).map(({ cursor }) => cursor);
};

t.test('a cursor leads to exactly what came after it, in order, also after a restart', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const before = open(path);
  const start = before.cursor();
  const cursors = add(before, ['runs', 'epochs', 'alerts', 'epochs']);
  t.equal(before.cursor(), cursors[3]);
  before.close();

  const after = open(path);
  t.equal(after.cursor(), cursors[3]);
  const missed = after.eventsAfter(cursors[1] ?? '', { topics: ALL, limit: 10 });
  t.match(missed?.events, [
    { topic: 'alerts', cursor: cursors[2], at: T0, data: { name: 'train' } },
    { topic: 'epochs', cursor: cursors[3] },
  ]);
  t.equal(after.eventsAfter(start, { topics: ALL, limit: 10 })?.events.length, 4);
  t.same(after.eventsAfter(after.cursor(), { topics: ALL, limit: 10 }), { events: [], scannedTo: cursors[3] });
  const [next] = add(after, ['runs']);
  t.equal(after.compareCursors(next ?? '', cursors[3] ?? ''), 1);
  after.close();
});

t.test('a replay passes over what does not match and says how far it looked', async (t) => {
  const store = open();
  const start = store.cursor();
  const cursors = add(store, ['runs', 'epochs', 'runs', 'epochs', 'alerts']);
  const first = store.eventsAfter(start, { topics: ['epochs'], limit: 1 });
  t.match(first, { events: [{ cursor: cursors[1] }], scannedTo: cursors[1] });
  const second = store.eventsAfter(first?.scannedTo ?? '', { topics: ['epochs'], limit: 2 });
  t.match(second, { events: [{ cursor: cursors[3] }], scannedTo: cursors[4] });
  t.same(store.eventsAfter(start, { topics: ALL, run: 'r_other', limit: 9 })?.events, []);
});

t.test('a cursor of another database, of the future, or that is none, is unknown', async (t) => {
  const store = open();
  const [first = ''] = add(store, ['runs']);
  const foreign = open().cursor();
  const future = first.replace(/1$/, '2');
  for (const cursor of [foreign, future, '', 'x', `${first}.1`, first.replace(/1$/, '-1')]) {
    t.equal(store.eventsAfter(cursor, { topics: ALL, limit: 1 }), null, cursor);
  }
  t.ok(Number.isNaN(store.compareCursors(first, foreign)));
});

t.test('an event of a transaction that fails leaves no trace and no gap', async (t) => {
  const store = open();
  const before = store.cursor();
  const fail = () =>
    store.transaction(() => {
      add(store, ['runs', 'runs']);
      throw new Error('no');
    });
  t.throws(fail, { message: 'no' });
  t.equal(store.cursor(), before);
  const [next = ''] = add(store, ['epochs']);
  t.equal(store.compareCursors(next, before), 1);
});
