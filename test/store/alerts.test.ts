import t from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import { open, T0 } from './open-store.ts';

const alert = (id: string, change: Partial<Alert> = {}): Alert => ({
  id,
  rule: 'loss_spike',
  severity: 'warning',
  state: 'firing',
  noDataSince: null,
  subject: 'run:r_1',
  run: 'r_1',
  gpu: null,
  epochs: [3, 5],
  startedAt: T0,
  firedAt: T0,
  resolvedAt: null,
  title: 'Loss spike',
  problem: 'train/box_loss rose to 3.1 in epoch 3.',
  evidence: [{ name: 'train/box_loss', value: 3.1, unit: '', expected: 1.2 }],
  cause: null,
  fix: ['Look at the batch.'],
  forecastS: null,
  result: null,
  count: 1,
  inhibitedBy: null,
  ackedAt: null,
  silenced: false,
  backfilled: false,
  ...change,
});

t.test('an alert comes back as it was saved, and as it was saved last', async (t) => {
  const store = open();
  store.saveAlerts([alert('a_1')]);
  t.same(store.getAlert('a_1'), alert('a_1'));
  store.saveAlerts([alert('a_1', { state: 'resolved', resolvedAt: T0 + 1 })]);
  t.same(store.getAlert('a_1'), alert('a_1', { state: 'resolved', resolvedAt: T0 + 1 }));
  t.equal(store.getAlert('a_2'), undefined);
});

t.test('open alerts are those that are pending or firing', async (t) => {
  const store = open();
  store.saveAlerts([alert('a_1', { state: 'resolved' }), alert('a_2', { state: 'pending' }), alert('a_3')]);
  t.same(
    store.openAlerts().map(({ id }) => id),
    ['a_2', 'a_3'],
  );
});

t.test('alerts are listed newest first, page by page, while new ones come in', async (t) => {
  const store = open();
  store.saveAlerts([1, 2, 3, 4].map((n) => alert(`a_${n}`, { startedAt: T0 + Math.floor(n / 2) })));
  const first = store.listAlerts({ limit: 2 });
  store.saveAlerts([alert('a_9', { startedAt: T0 + 99 })]);
  const second = store.listAlerts({ limit: 2, cursor: first.next ?? '' });
  t.same(
    [...first.items, ...second.items].map(({ id }) => id),
    ['a_4', 'a_3', 'a_2', 'a_1'],
  );
  t.equal(second.next, null);
  t.throws(() => store.listRuns({ limit: 2, cursor: first.next ?? '' }), { name: 'BadCursor' });
});

t.test('alerts are found by state, rule, run, severity and start', async (t) => {
  const store = open();
  store.saveAlerts([
    alert('a_1', { state: 'resolved', startedAt: T0 }),
    alert('a_2', { rule: 'oom_risk', severity: 'critical', startedAt: T0 + 1 }),
    alert('a_3', { run: 'r_2', state: 'pending', startedAt: T0 + 2 }),
    alert('a_4', { run: null, startedAt: T0 + 3 }),
  ]);
  const found = (query: Partial<Parameters<typeof store.listAlerts>[0]>) =>
    store.listAlerts({ limit: 10, ...query }).items.map(({ id }) => id);
  t.same(found({ states: ['pending', 'firing'] }), ['a_4', 'a_3', 'a_2']);
  t.same(found({ rule: 'oom_risk' }), ['a_2']);
  t.same(found({ run: 'r_1' }), ['a_2', 'a_1']);
  t.same(found({ severity: 'critical' }), ['a_2']);
  t.same(found({ from: T0 + 1, to: T0 + 3 }), ['a_3', 'a_2']);
});

t.test('the state of a rule comes back after it was saved, newest only, until its subject is dropped', async (t) => {
  const store = open();
  const state = { rule: 'loss_spike', subject: 'run:r_1', seenAt: T0, state: { window: [1, 2], armed: true } };
  store.saveRuleStates([state, { ...state, subject: 'run:r_2' }, { ...state, rule: 'oom_risk' }]);
  store.saveRuleStates([{ ...state, seenAt: T0 + 1, state: { window: [3] } }]);
  t.same(store.ruleStates(), [
    { ...state, seenAt: T0 + 1, state: { window: [3] } },
    { ...state, subject: 'run:r_2' },
    { ...state, rule: 'oom_risk' },
  ]);
  store.dropRuleStates('run:r_1');
  t.same(store.ruleStates(), [{ ...state, subject: 'run:r_2' }]);
});

t.test('an event about an alert of one GPU carries its index', async (t) => {
  const store = open();
  const add = (data: Alert) => store.addEvents([{ topic: 'alerts', run: data.run, at: T0, data }])[0]?.gpu;
  t.equal(add(alert('a_1', { gpu: 'gpu:3' })), 3);
  t.equal(add(alert('a_1')), null);
  t.same(
    store.eventsAfter(store.cursor().replace(/\d+$/, '0'), { topics: ['alerts'], limit: 9 })?.events.map((e) => e.gpu),
    [3, null],
  );
});
