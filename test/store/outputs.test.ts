import { join } from 'node:path';
import t from 'tap';
import type { ObservedOutput } from '../../src/core/batch.ts';
import type { Store } from '../../src/core/ports.ts';
import type { RunEvent } from '../../src/core/trace.ts';
import { observed } from './observed.ts';
import { open, T0 } from './open-store.ts';

const addRun = (store: Store): string => store.observeRun(observed(), 'trainer', T0).id;

/** A look at an output that took a line of 10 bytes for each event, the first one behind `from`. */
const look = (
  events: readonly RunEvent[],
  { from = 0, ...change }: Partial<ObservedOutput> & { from?: number } = {},
) => ({
  path: '/runs/train',
  source: '/runs/train/signalbox.ndjson',
  generation: 'first',
  writtenAt: T0,
  events: events.map((event, i) => ({ offset: from + 10 * (i + 1), event })),
  ...change,
});

const start: RunEvent = { t: T0, kind: 'start', pid: 7 };
const step = (batch: number, epoch = 1): RunEvent => ({
  t: T0 + batch * 1000,
  kind: 'batch',
  epoch,
  batch,
  loss: { box: 0.5 },
});
const line = (text: string): RunEvent => ({ t: T0, kind: 'log', line: text });
const keys = (store: Store, run: string) =>
  store.listSteps(run, { limit: 100 }).items.map(({ attempt, epoch, batch }) => `${attempt}/${epoch}/${batch}`);

t.test('what an output says is taken once, however often it is read again', async (t) => {
  const store = open();
  const run = addRun(store);
  const first = store.observeOutput(run, look([start, step(1), step(2), line('a')]), T0);
  t.match(first.steps, [
    { attempt: 1, epoch: 1, batch: 1, at: T0 + 1000, loss: { box: 0.5 }, lossOver: 1, dataS: null },
    {},
  ]);
  t.match(first.lines, [{ at: T0, source: '/runs/train/signalbox.ndjson', line: 'a', code: null }]);
  t.match(first.known, { facts: { starts: 1, step: { batch: 2 } }, writtenAt: T0 });

  const again = store.observeOutput(run, look([start, step(1), step(2), line('a'), step(3)]), T0);
  t.same(again.events, [step(3)]);
  t.same(keys(store, run), ['1/1/1', '1/1/2', '1/1/3']);
  t.equal(store.logTail(run, 10).length, 1);
  t.equal(again.known.facts.starts, 1);
  t.same(store.observeOutput(run, look([]), T0), { events: [], steps: [], lines: [], known: again.known });
  t.same(store.outputsOf(run), [again.known]);
});

t.test('all events of one line are taken, though they end at the same byte', async (t) => {
  const store = open();
  const run = addRun(store);
  const both = [step(1), line('glued into the bar')].map((event) => ({ offset: 10, event }));
  t.equal(store.observeOutput(run, look([], { events: both }), T0).events.length, 2);
  t.equal(store.observeOutput(run, look([], { events: both }), T0).events.length, 0);
});

t.test('after a restart an output goes on where it was', async (t) => {
  const path = join(t.testdir(), 'signalbox.db');
  const before = open(path);
  const run = addRun(before);
  before.observeOutput(run, look([start, step(1)]), T0);
  before.close();
  const after = open(path);
  t.same(after.observeOutput(run, look([start, step(1), step(2)]), T0).events, [step(2)]);
  t.equal(after.outputsOf(run)[0]?.facts.starts, 1);
  after.close();
});

t.test('a look whose transaction failed is taken when it comes again', async (t) => {
  const store = open();
  const run = addRun(store);
  t.throws(() =>
    store.transaction(() => {
      store.observeOutput(run, look([start, step(1)]), T0);
      throw new Error('disk full');
    }),
  );
  t.same(keys(store, run), []);
  t.equal(store.observeOutput(run, look([start, step(1)]), T0).events.length, 2);
});

t.test('each start opens an attempt, and what came before the first belongs to it', async (t) => {
  const store = open();
  const run = addRun(store);
  store.observeOutput(run, look([step(1), start, step(2), start, step(1)]), T0);
  t.same(keys(store, run), ['1/1/1', '1/1/2', '2/1/1']);
});

t.test('an output that began anew adds attempts and forgets nothing', async (t) => {
  const store = open();
  const run = addRun(store);
  store.observeOutput(run, look([start, step(1)]), T0);
  const anew = store.observeOutput(run, look([start, step(1)], { generation: 'second' }), T0);
  t.equal(anew.events.length, 2);
  store.observeOutput(run, look([step(1)], { generation: 'third' }), T0);
  t.same(keys(store, run), ['1/1/1', '2/1/1', '3/1/1'], 'also where the start was not read');
  t.equal(store.observeOutput(run, look([step(1)], { generation: 'third' }), T0).events.length, 0);
});

t.test('two outputs of a run complete each other: the finer loss and whatever only one knows', async (t) => {
  const store = open();
  const run = addRun(store);
  const console = { source: '/runs/train/train.log' };
  store.observeOutput(
    run,
    look([{ t: null, kind: 'batch', epoch: 1, batch: 8, batches: 99, loss: { box: 7 }, lossOver: 8 }], console),
    T0,
  );
  store.observeOutput(run, look([{ t: T0, kind: 'batch', epoch: 1, batch: 8, loss: { box: 1 }, dataS: 0.2 }]), T0);
  store.observeOutput(
    run,
    look([{ t: null, kind: 'batch', epoch: 1, batch: 8, loss: { box: 9 }, lossOver: 8 }], { ...console, from: 10 }),
    T0,
  );
  store.observeOutput(run, look([{ t: null, kind: 'batch', epoch: 1, batch: 8, stepS: 0.3 }], { from: 10 }), T0);
  t.match(store.listSteps(run, { limit: 9 }).items, [
    { attempt: 1, at: T0, batches: 99, loss: { box: 1 }, lossOver: 1, dataS: 0.2, stepS: 0.3, reservedMib: null },
  ]);
  t.equal(store.outputsOf(run).length, 2);
});

t.test('a loss or a class metric that is not finite is unknown, with its kind', async (t) => {
  const store = open();
  const run = addRun(store);
  const { steps } = store.observeOutput(
    run,
    look([
      { t: T0, kind: 'batch', epoch: 1, batch: 1, loss: { box: 'nan', cls: 1, dfl: null } },
      { t: T0, kind: 'classes', epoch: 1, mAP50: { car: 'nan', bus: 0.5 }, recall: { car: 1 } },
    ]),
    T0,
  );
  t.match(steps, [{ loss: { box: null, cls: 1, dfl: null }, nonFinite: { box: 'nan' } }]);
  t.same(store.listSteps(run, { limit: 1 }).items, steps);
  t.same(store.listClasses(run, { limit: 1 }).items, [
    {
      attempt: 1,
      epoch: 1,
      final: false,
      at: T0,
      source: '/runs/train/signalbox.ndjson',
      classes: [
        { name: 'car', metrics: { mAP50: null, recall: 1 }, nonFinite: { mAP50: 'nan' } },
        { name: 'bus', metrics: { mAP50: 0.5 } },
      ],
    },
  ]);
});

t.test('steps are listed page by page, by moment, or the newest of them', async (t) => {
  const store = open();
  const run = addRun(store);
  store.observeOutput(run, look([1, 2, 3, 4, 5].map((batch) => step(batch))), T0);
  const batches = ({ items }: { items: readonly { batch: number }[] }) => items.map(({ batch }) => batch);
  const first = store.listSteps(run, { limit: 2 });
  t.same(batches(first), [1, 2]);
  t.same(batches(store.listSteps(run, { limit: 9, cursor: first.next ?? '' })), [3, 4, 5]);
  t.same(batches(store.listSteps(run, { limit: 9, from: T0 + 2000, to: T0 + 4000 })), [2, 3]);
  t.same(batches(store.listSteps(run, { limit: 2, newest: true })), [4, 5]);
  t.throws(() => store.listSteps('r_other', { limit: 1, cursor: first.next ?? '' }), { name: 'BadCursor' });
});

t.test('of a run that says millions of steps the last 200,000 stay', async (t) => {
  const store = open();
  const run = addRun(store);
  for (let epoch = 1; epoch <= 5; epoch++) {
    const steps = Array.from({ length: 50_000 }, (_, batch) => step(batch, epoch));
    store.observeOutput(run, look(steps, { from: epoch * 1e6 }), T0);
  }
  t.match(store.listSteps(run, { limit: 1 }).items, [{ epoch: 2, batch: 0 }]);
  t.match(store.listSteps(run, { limit: 1, newest: true }).items, [{ epoch: 5, batch: 49_999 }]);
});

t.test(
  'metrics by class come by attempt and epoch, the final ones last; told again they replace themselves',
  async (t) => {
    const store = open();
    const run = addRun(store);
    const classes = (epoch: number | null, value: number, final?: true): RunEvent => ({
      t: null,
      kind: 'classes',
      epoch,
      ...(final && { final }),
      mAP50: { car: value },
    });
    store.observeOutput(
      run,
      look([classes(null, 1, true), classes(2, 2), classes(1, 3), classes(2, 4), classes(null, 5, true)]),
      T0,
    );
    const seen = (page: ReturnType<Store['listClasses']>) =>
      page.items.map(({ epoch, final, classes }) => [epoch, final, classes[0]?.metrics.mAP50]);
    const first = store.listClasses(run, { limit: 2 });
    t.same(seen(first), [
      [1, false, 3],
      [2, false, 4],
    ]);
    t.same(seen(store.listClasses(run, { limit: 2, cursor: first.next ?? '' })), [[null, true, 5]]);
  },
);

t.test('phases come in the order in which they began; one without a moment is no place in time', async (t) => {
  const store = open();
  const run = addRun(store);
  const phase = (at: number | null, phase: 'train' | 'val' | 'save'): RunEvent => ({
    t: at,
    kind: 'phase',
    epoch: 1,
    phase,
  });
  store.observeOutput(run, look([phase(T0, 'train'), phase(null, 'val'), phase(T0, 'save'), phase(T0 + 9, 'val')]), T0);
  t.same(store.listPhases(run, { from: T0, to: T0 + 9 }), [
    { attempt: 1, epoch: 1, phase: 'train', at: T0 },
    { attempt: 1, epoch: 1, phase: 'save', at: T0 },
  ]);
  t.equal(store.outputsOf(run)[0]?.facts.phase?.phase, 'val');
});

t.test('of a console the last 500 lines stay, none longer than 4096 characters', async (t) => {
  const store = open();
  const run = addRun(store);
  const many = Array.from({ length: 700 }, (_, i) => line(`line ${i}`));
  const news = store.observeOutput(run, look(many), T0);
  t.equal(news.lines.length, 500, 'only what can be looked up is told');
  store.observeOutput(
    run,
    look([line('x'.repeat(9000)), { t: null, kind: 'log', line: 'killed', code: 'cuda_out_of_memory' }], { from: 1e6 }),
    T0,
  );
  const tail = store.logTail(run, 1000);
  t.equal(tail.length, 500);
  t.equal(tail[0]?.line, 'line 202');
  t.match(store.logTail(run, 2), [
    { line: 'x'.repeat(4096) },
    { at: null, line: 'killed', code: 'cuda_out_of_memory' },
  ]);
});
