import t from 'tap';
import { ALERT_STATES, type Alert, SEVERITIES } from '../../src/core/alert.ts';
import { advance, type Life, resolveNow, type Setting, UNBORN } from '../../src/rules/lifecycle.ts';
import type { Track, Verdict } from '../../src/rules/rule.ts';
import { randomOf, START_AT } from './rows.ts';

const BREACH: Verdict = {
  kind: 'breach',
  severity: 'warning',
  title: 'Hot',
  problem: '93 °C',
  evidence: [{ name: 'temperature', value: 93, unit: '°C', expected: 85 }],
  cause: null,
  fix: ['cool it'],
};
const CLEAR: Verdict = { kind: 'clear' };
const BETWEEN: Verdict = { kind: 'between' };
const NO_DATA: Verdict = { kind: 'no-data', missing: ['temperature'] };
const breach = (more: Partial<Extract<Verdict, { kind: 'breach' }>>): Verdict => ({ ...BREACH, ...more });

const ROWS: Track = { hold: { evaluations: 2 }, keepFiring: { evaluations: 2 }, cooldown: { evaluations: 3 } };
const AT_ONCE: Track = { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } };

/** Plays verdicts, a second apart, and returns what changed at each, with the life at the end. */
const play = (track: Track, verdicts: readonly Verdict[], more: Partial<Setting> = {}, from: Life = UNBORN) => {
  let life = from;
  let ids = 0;
  const changes = verdicts.map((verdict, i) => {
    const step = advance(life, verdict, {
      at: START_AT + i * 1000,
      track,
      regroup: { evaluations: 10 },
      rule: 'hot',
      subject: 'run:r1',
      run: 'r1',
      gpu: null,
      newId: () => `a${++ids}`,
      ...more,
    });
    life = step.life;
    return step.changed;
  });
  return { life, changes };
};
const states = (changes: readonly (Alert | null)[]) => changes.map((alert) => alert?.state ?? '-');

t.test('a breach that ends early never fires: its pending alert goes away once, without having fired', async (t) => {
  const { changes, life } = play(ROWS, [BREACH, CLEAR, CLEAR]);
  t.strictSame(states(changes), ['pending', 'resolved', '-']);
  t.equal(changes[1]?.firedAt, null);
  t.equal(changes[1]?.id, changes[0]?.id);
  t.equal(life.open, null);
});

t.test('an alert fires when the breach has held, and knows when the breach began', async (t) => {
  const { changes } = play(ROWS, [CLEAR, BREACH, BREACH]);
  t.strictSame(states(changes), ['-', 'pending', 'firing']);
  t.equal(changes[2]?.startedAt, START_AT + 1000);
  t.equal(changes[2]?.firedAt, START_AT + 2000);
});

t.test('an alert that need not be held fires at once, without having been pending', async (t) => {
  t.strictSame(states(play(AT_ONCE, [BREACH, BREACH]).changes), ['firing', '-']);
});

t.test('a hold in time counts the time of the breach only, not that of missing samples', async (t) => {
  const track: Track = { hold: { ms: 3000 }, keepFiring: { ms: 2000 } };
  t.strictSame(states(play(track, [BREACH, BREACH, BREACH, BREACH]).changes), ['pending', '-', '-', 'firing']);
  const gap = play(track, [BREACH, BREACH, NO_DATA, NO_DATA, NO_DATA, BREACH, BREACH, BREACH]);
  t.strictSame(states(gap.changes), ['pending', '-', 'pending', '-', '-', 'pending', '-', 'firing']);
  const over = play(track, [BREACH, BREACH, BREACH, BREACH, CLEAR, CLEAR, CLEAR]);
  t.strictSame(states(over.changes).slice(4), ['-', '-', 'resolved']);
});

t.test('a verdict may bring its own hold', async (t) => {
  t.strictSame(states(play(ROWS, [breach({ hold: { evaluations: 1 } })]).changes), ['firing']);
});

t.test('between neither resolves what fires nor fires what is pending, and no-data is said on the alert', async (t) => {
  const { changes } = play(ROWS, [BREACH, BETWEEN, BREACH, CLEAR, BETWEEN, NO_DATA, NO_DATA, CLEAR]);
  t.strictSame(states(changes), ['pending', '-', 'firing', '-', '-', 'firing', '-', 'resolved']);
  t.equal(changes[5]?.noDataSince, START_AT + 5000);
  t.equal(changes[7]?.noDataSince, null);
});

t.test('data that come back are said too', async (t) => {
  const { changes } = play(AT_ONCE, [BREACH, NO_DATA, BREACH]);
  t.strictSame(states(changes), ['firing', 'firing', 'firing']);
  t.equal(changes[2]?.noDataSince, null);
});

t.test('a severer breach raises the same alert and tells its own story; a milder one changes nothing', async (t) => {
  const { changes } = play(AT_ONCE, [BREACH, breach({ severity: 'critical', problem: '99 °C' }), BREACH]);
  t.equal(changes[1]?.id, changes[0]?.id);
  t.equal(changes[1]?.severity, 'critical');
  t.equal(changes[1]?.problem, '99 °C');
  t.equal(changes[2], null);
});

t.test('the epochs of an alert widen while it lives, and its result names them', async (t) => {
  const { changes } = play(AT_ONCE, [breach({ epochs: [7, 7] }), breach({ epochs: [8, 8] }), CLEAR]);
  t.strictSame(changes[1]?.epochs, [7, 8]);
  t.equal(changes[2]?.result, 'over after 2 s (epochs 7 to 8)');
  t.equal(play(AT_ONCE, [BREACH, { kind: 'clear', result: 'cool at 60 °C' }]).changes[1]?.result, 'cool at 60 °C');
});

t.test('a re-fire soon after opens the same alert again with a higher count; later it is a new one', async (t) => {
  const calm = (n: number) => Array.from({ length: n }, () => CLEAR);
  const soon = play(AT_ONCE, [BREACH, ...calm(10), BREACH, CLEAR]).changes;
  t.equal(soon[11]?.id, 'a1');
  t.equal(soon[11]?.count, 2);
  t.equal(soon[11]?.resolvedAt, null);
  t.equal(soon[11]?.result, null);
  t.equal(soon[12]?.state, 'resolved');
  const late = play(AT_ONCE, [BREACH, ...calm(11), BREACH]).changes;
  t.equal(late[12]?.id, 'a2');
  t.equal(late[12]?.count, 1);
});

t.test('nothing fires within the cool-down', async (t) => {
  const track: Track = { ...AT_ONCE, cooldown: { evaluations: 3 } };
  const { changes } = play(track, [BREACH, CLEAR, BREACH, BREACH, BREACH, BREACH]);
  t.strictSame(states(changes), ['firing', 'resolved', '-', '-', '-', 'firing']);
  t.equal(changes[5]?.count, 2);
});

t.test('the end of a run resolves what is open with its reason', async (t) => {
  const { life } = play(AT_ONCE, [BREACH]);
  t.equal(resolveNow(life, START_AT + 5000, 'the run ended').changed?.result, 'the run ended');
  t.equal(resolveNow(UNBORN, START_AT, 'the run ended').changed, null);
});

t.test('whatever the verdicts, an alert lives pending, firing, resolved, and its severity only rises', async (t) => {
  const random = randomOf(7);
  const spans = [{ evaluations: 1 }, { evaluations: 3 }, { ms: 0 }, { ms: 2500 }];
  const span = () => spans[Math.floor(random() * spans.length)] ?? { ms: 0 };
  const severe = SEVERITIES.map((severity) => breach({ severity }));
  const said = [...severe, ...severe, CLEAR, CLEAR, CLEAR, BETWEEN, NO_DATA];
  for (let round = 0; round < 300; round++) {
    const track: Track = { hold: span(), keepFiring: span(), cooldown: span() };
    const verdicts = Array.from({ length: 60 }, () => said[Math.floor(random() * said.length)] ?? CLEAR);
    const { changes, life } = play(track, verdicts);
    const told = new Map<string, Alert>();
    const broken: string[] = [];
    for (const alert of changes) {
      if (!alert) continue;
      broken.push(...promisesBroken(told.get(alert.id), alert));
      told.set(alert.id, alert);
    }
    t.strictSame(broken, []);
    const open = [...told.values()].filter(({ state }) => state !== 'resolved');
    t.strictSame(open, life.open ? [life.open] : [], 'what was told is what is open');
  }
});

/** What an alert must never do, whatever happened to it. */
const promisesBroken = (before: Alert | undefined, alert: Alert): readonly string[] => {
  const order = (one: Alert) => ALERT_STATES.indexOf(one.state);
  const rank = (one: Alert) => SEVERITIES.indexOf(one.severity);
  const resolved = alert.state === 'resolved';
  const checks: Record<string, boolean> = {
    'resolved means with a moment and a result': resolved === (alert.resolvedAt !== null && alert.result !== null),
    'firing means fired': alert.state !== 'firing' || alert.firedAt !== null,
    'missing data are told of open alerts only': !resolved || alert.noDataSince === null,
  };
  if (before) {
    checks['no milder'] = rank(alert) >= rank(before);
    checks['back only as a grouped re-fire'] =
      order(alert) >= order(before) || (before.state === 'resolved' && alert.count === before.count + 1);
  }
  return Object.keys(checks).filter((name) => !checks[name]);
};

t.test('a firing forecast is renewed with each new one, and says so once for each', async (t) => {
  const { changes } = play(AT_ONCE, [
    breach({ forecastS: 700, problem: 'full in 12 min' }),
    breach({ forecastS: 400, problem: 'full in 7 min' }),
    breach({ forecastS: 400, problem: 'full in 7 min' }),
  ]);
  t.strictSame(
    changes.map((alert) => alert?.problem ?? '-'),
    ['full in 12 min', 'full in 7 min', '-'],
  );
  t.equal(changes[1]?.id, changes[0]?.id);
});
