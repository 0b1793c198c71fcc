import t from 'tap';
import { observed, rows } from '../observed.ts';
import { open, T0 } from '../open-store.ts';

const DAY = 86_400_000;

t.test('events are kept for 7 days, and a cursor from before the oldest of them is too old', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed({ rows: rows(1, 2) }), 'trainer', T0);
  const data = store.getRun(id);
  if (!data) return t.fail('the run is not there');
  const start = store.cursor();
  const [first = '', second = '', third = ''] = store
    .addEvents([0, 1, 8].map((day) => ({ topic: 'runs', run: id, at: T0 + day * DAY, data })))
    .map(({ cursor }) => cursor);

  t.equal(store.maintain(T0 + 7 * DAY + 1), false);
  t.equal(store.eventsAfter(start, { topics: ['runs'], limit: 9 }), null);
  t.match(store.eventsAfter(first, { topics: ['runs'], limit: 9 })?.events, [{ cursor: second }, { cursor: third }]);

  store.maintain(T0 + 30 * DAY);
  t.equal(store.eventsAfter(second, { topics: ['runs'], limit: 9 }), null, 'all are gone');
  t.same(store.eventsAfter(third, { topics: ['runs'], limit: 9 })?.events, []);
  t.equal(store.cursor(), third);
  t.equal(store.rowsOf(id).length, 2, 'epochs are kept for ever');
});

t.test('an event that is young enough keeps those after it, whatever the clock said then', async (t) => {
  const store = open();
  const { id } = store.observeRun(observed(), 'trainer', T0);
  const data = store.getRun(id);
  if (!data) return t.fail('the run is not there');
  const events = store.addEvents([0, 8, 1, 9].map((day) => ({ topic: 'runs', run: id, at: T0 + day * DAY, data })));
  store.maintain(T0 + 10 * DAY);
  t.equal(store.eventsAfter(events[0]?.cursor ?? '', { topics: ['runs'], limit: 9 })?.events.length, 3);
});
