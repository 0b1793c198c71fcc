import t from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import type { RuleState } from '../../src/core/ports.ts';
import { createEngine, type Engine } from '../../src/rules/engine.ts';
import { lossNan } from '../../src/rules/loss-nan.ts';
import { lossSpike } from '../../src/rules/loss-spike.ts';
import { mapOscillation } from '../../src/rules/map-oscillation.ts';
import { type AnyRule, defineRule } from '../../src/rules/rule.ts';
import { finish } from './finish.ts';
import { rowsOf, run, START_AT, type Told } from './rows.ts';

const EPOCH_RULES = [lossSpike, lossNan, mapOscillation];
/** A run with a spike, a swing of mAP, a resume and a NaN, in a row. */
const EVENTFUL = rowsOf(1, 80, (epoch): Told => {
  if (epoch === 15 || epoch === 22) return { loss: 1.4 };
  if (epoch >= 30 && epoch < 50) return { map: 0.7 + 0.05 * Math.sin((2 * Math.PI * epoch) / 4) };
  if (epoch >= 75) return { attempt: 2, nonFinite: { 'train/box_loss': 'nan' } };
  return epoch >= 60 ? { attempt: 2 } : {};
});

const start = (rules: readonly AnyRule[], from = 0) => {
  const errors: string[] = [];
  let ids = from;
  const engine = createEngine({
    rules,
    newId: () => `a${++ids}`,
    onError: (rule, subject, error) => errors.push(`${rule} ${subject}: ${error instanceof Error && error.message}`),
  });
  return { engine, errors, ids: () => ids };
};
const openOf = (alerts: Iterable<Alert>) => [...alerts].filter(({ state }) => state !== 'resolved');
/** What a store would hold: the newest of each alert and state, as JSON. */
const keep = (known: Map<string, Alert>, alerts: readonly Alert[]) => {
  for (const alert of alerts) known.set(alert.id, alert);
};
const json = <T>(value: T): T => JSON.parse(JSON.stringify(value));

t.test('a run with several faults raises each of them once, with its epochs', async (t) => {
  const { engine } = start(EPOCH_RULES);
  const alerts = engine.observeEpochs(run, EVENTFUL, START_AT);
  const spike = alerts.find(({ rule }) => rule === 'loss_spike');
  t.match(spike, { severity: 'warning', state: 'resolved', count: 2, epochs: [15, 22], subject: 'run:r1', run: 'r1' });
  t.match(
    alerts.find(({ rule }) => rule === 'map_oscillation'),
    { severity: 'warning', count: 1 },
  );
  t.match(
    alerts.find(({ rule }) => rule === 'loss_nan'),
    { severity: 'critical', state: 'firing', epochs: [75, 80] },
  );
  t.equal(alerts.length, 3);
});

t.test('a restart after any row gives the same alerts as none', async (t) => {
  const whole = new Map<string, Alert>();
  keep(whole, start(EPOCH_RULES).engine.observeEpochs(run, EVENTFUL, START_AT));
  for (let cut = 1; cut < EVENTFUL.length; cut += 3) {
    const stored = new Map<string, Alert>();
    const first = start(EPOCH_RULES);
    keep(stored, first.engine.observeEpochs(run, EVENTFUL.slice(0, cut), START_AT));
    const states = json(first.engine.dirtyStates(START_AT));
    const second = start(EPOCH_RULES, first.ids());
    second.engine.restore(states, json(openOf(stored.values())));
    // The source repeats what was judged before the restart.
    keep(stored, second.engine.observeEpochs(run, EVENTFUL.slice(Math.max(0, cut - 2)), START_AT));
    t.strictSame([...stored.values()], [...whole.values()], `cut after ${cut} rows`);
    t.strictSame(second.errors, []);
  }
});

t.test('what was told of an open alert while it was away, such as an acknowledgement, is kept', async (t) => {
  const first = start([lossNan]);
  const rows = rowsOf(1, 8, (epoch) => (epoch >= 6 ? { nonFinite: { 'val/box_loss': 'inf' } } : {}));
  const [alert] = first.engine.observeEpochs(run, rows.slice(0, 6), START_AT);
  const second = start([lossNan]);
  const acked = alert ? [{ ...alert, ackedAt: START_AT }] : [];
  second.engine.restore(json(first.engine.dirtyStates(START_AT)), acked);
  t.match(second.engine.observeEpochs(run, rows, START_AT), [{ id: 'a1', ackedAt: START_AT, epochs: [6, 8] }]);
});

t.test('a state of another version is dropped and reported, and its open alert still resolves', async (t) => {
  const first = start([lossNan]);
  const bad = rowsOf(1, 6, (epoch) => (epoch === 6 ? { nonFinite: { 'train/box_loss': 'nan' } } : {}));
  const open = first.engine.observeEpochs(run, bad, START_AT);
  const states: RuleState[] = first.engine.dirtyStates(START_AT).map((state) => ({ ...state, state: { old: true } }));
  const { engine, errors } = start([lossNan], 1);
  engine.restore([...states, { rule: 'gone', subject: 'run:r1', seenAt: 0, state: {} }], open);
  t.match(errors, [/transitions run:r1/, /loss_nan run:r1: saved state/, /gone run:r1: .*no such rule/]);
  t.match(engine.observeEpochs(run, rowsOf(7, 9), START_AT), [{ id: 'a1', state: 'resolved', rule: 'loss_nan' }]);
});

t.test('an alert of a rule that is no more resolves with its run', async (t) => {
  const first = start([lossNan]);
  const open = first.engine.observeEpochs(
    run,
    rowsOf(1, 1, () => ({ nonFinite: { 'train/box_loss': 'nan' } })),
    START_AT,
  );
  const { engine } = start([]);
  engine.restore([], open);
  t.match(engine.endRun(run, START_AT), [{ id: 'a1', state: 'resolved', result: 'the run ended' }]);
});

t.test('a rule that throws is reported once, begins anew, and does not stop the others', async (t) => {
  const broken = defineRule({
    id: 'broken',
    title: 'Broken',
    description: 'throws at every other row',
    severity: ['warning'],
    subject: 'run',
    needs: ['epochs'],
    parameters: {},
    tracks: { only: { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } } },
    init: () => ({ rows: 0 }),
    step: (state, input) => {
      state.rows += 1;
      if (input.kind === 'epoch' && state.rows === 2) throw new Error('two');
      return [state, {}];
    },
  });
  const { engine, errors } = start([broken, lossNan]);
  const rows = rowsOf(1, 6, (epoch) => (epoch === 6 ? { nonFinite: { 'train/box_loss': 'nan' } } : {}));
  t.match(engine.observeEpochs(run, rows, START_AT), [{ rule: 'loss_nan', state: 'firing' }]);
  t.strictSame(errors, ['broken run:r1: two']);
});

t.test('a NaN of the training loss explains the spike that is still open beside it', async (t) => {
  const rows = rowsOf(1, 14, (epoch): Told => {
    if (epoch === 10) return { loss: 1.4 };
    return epoch === 11 ? { nonFinite: { 'train/box_loss': 'nan' } } : {};
  });
  const { engine } = start([lossSpike, lossNan]);
  engine.observeEpochs(run, rows.slice(0, 10), START_AT);
  const [nan, spike] = engine
    .observeEpochs(run, rows.slice(10, 11), START_AT)
    .toSorted((a, b) => a.rule.localeCompare(b.rule));
  t.match([nan, spike], [{ rule: 'loss_nan' }, { rule: 'loss_spike', inhibitedBy: nan?.id }]);
});

t.test('the end of a run resolves its alerts and forgets it', async (t) => {
  const { engine } = start(EPOCH_RULES);
  engine.observeEpochs(run, EVENTFUL, START_AT);
  t.match(engine.endRun(run, START_AT + 1), [
    { rule: 'loss_nan', state: 'resolved', result: 'the run ended', resolvedAt: START_AT + 1 },
  ]);
  t.strictSame(engine.dirtyStates(START_AT + 120_000), []);
  t.strictSame(engine.endRun(run, START_AT + 2), []);
});

t.test('a run that begins anew in its folder closes the alerts of the old one and is judged by itself', async (t) => {
  const { engine } = start([lossNan]);
  engine.observeEpochs(
    run,
    rowsOf(1, 20, () => ({ nonFinite: { 'train/box_loss': 'nan' } })),
    START_AT,
  );
  const again = engine.observeEpochs(
    run,
    rowsOf(1, 3, () => ({ attempt: 2 })),
    START_AT,
  );
  t.match(again, [{ state: 'resolved', result: 'the run began anew' }]);
});

t.test(
  'an old run is judged in its own time: every alert once, resolved, backfilled, and nothing stays behind',
  async (t) => {
    const { engine } = start(EPOCH_RULES);
    const undated = EVENTFUL.map((row) => (row.epoch >= 75 ? { ...row, at: null } : row));
    const endedAt = START_AT + 100 * 60_000;
    const alerts = finish(engine.backfill(run, undated, endedAt));
    t.equal(alerts.length, 3);
    t.ok(alerts.every(({ state, backfilled }) => state === 'resolved' && backfilled));
    t.equal(alerts.find(({ rule }) => rule === 'loss_spike')?.firedAt, START_AT + 15 * 60_000);
    t.equal(alerts.find(({ rule }) => rule === 'loss_nan')?.firedAt, endedAt);
    t.strictSame(engine.dirtyStates(endedAt), []);
  },
);

t.test('states are handed out after rows and alert changes at once, after mere ticks once a minute', async (t) => {
  const ticking = defineRule({
    id: 'ticking',
    title: 'Ticking',
    description: 'counts ticks, fires at the fifth',
    severity: ['warning'],
    subject: 'run',
    needs: ['gpu'],
    parameters: {},
    tracks: { only: { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } } },
    init: () => ({ ticks: 0 }),
    step: (state, input) => {
      if (input.kind !== 'tick') return [state, {}];
      state.ticks += 1;
      const fires = {
        kind: 'breach',
        severity: 'warning',
        title: '',
        problem: '',
        evidence: [],
        cause: null,
        fix: [],
      } as const;
      return [state, { only: state.ticks === 5 ? fires : { kind: 'between' } }];
    },
  });
  const { engine } = start([ticking]);
  const tickAt = (engine: Engine, second: number) => {
    const alerts = engine.tick(START_AT + second * 1000, [{ run, gpus: null, host: null, rowWritten: false }]);
    return { alerts: alerts.length, saved: engine.dirtyStates(START_AT + second * 1000).length };
  };
  const seen = Array.from({ length: 70 }, (_, second) => tickAt(engine, second));
  t.strictSame(seen.map(({ saved }, second) => (saved ? second : 0)).filter(Boolean), [4, 64]);
  t.strictSame(
    seen.flatMap(({ alerts }, second) => (alerts ? [second] : [])),
    [4],
  );
});
