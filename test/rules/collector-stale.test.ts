import t from 'tap';
import type { Alert } from '../../src/core/alert.ts';
import type { CollectorHealth } from '../../src/core/collector-health.ts';
import { collectorStale } from '../../src/rules/collector-stale.ts';
import { createEngine } from '../../src/rules/engine.ts';

const START_AT = 1_757_400_000_000;
const TOLD_EVERY_S = 10;

const health = (over: Partial<CollectorHealth> = {}): CollectorHealth => ({
  name: 'gpu',
  everyMs: 1000,
  lastSuccessAt: null,
  lastErrorAt: null,
  error: null,
  failures: 0,
  durationMs: 2,
  misses: 0,
  polling: false,
  ...over,
});

/** An engine with this rule alone, which is told every ten seconds how the collectors do. */
const start = () => {
  let ids = 0;
  const create = () =>
    createEngine({
      rules: [collectorStale],
      newId: () => `a${++ids}`,
      onError: (_rule, _subject, error) => {
        throw error;
      },
    });
  let engine = create();
  const alerts = new Map<string, Alert>();
  const take = (changed: readonly Alert[]) => {
    for (const alert of changed) alerts.set(alert.id, alert);
  };
  const shown = () => [...alerts.values()];
  return {
    /** Tells how the collectors do at this second, and answers with every alert as it is then. */
    tell: (second: number, ...collectors: readonly CollectorHealth[]): readonly Alert[] => {
      take(engine.tickHost(START_AT + second * 1000, { name: 'trainer', host: null, collectors }));
      return shown();
    },
    tick: (second: number): readonly Alert[] => {
      take(engine.tickHost(START_AT + second * 1000, { name: 'trainer', host: null, collectors: null }));
      return shown();
    },
    restart: (second: number) => {
      const states = JSON.parse(JSON.stringify(engine.dirtyStates(START_AT + second * 1000)));
      engine = create();
      engine.restore(
        states,
        shown().filter(({ state }) => state !== 'resolved'),
      );
    },
  };
};

const seconds = (from: number, to: number) =>
  Array.from({ length: (to - from) / TOLD_EVERY_S + 1 }, (_, i) => from + i * TOLD_EVERY_S);
const at = (second: number) => START_AT + second * 1000;
/** A collector whose last success was at this second, and which has failed since. */
const failing = (second: number, over: Partial<CollectorHealth> = {}) =>
  health({ lastSuccessAt: at(second), lastErrorAt: at(second + 1), error: 'EIO: read', failures: 3, ...over });

/** The first second of these at which something fires; null: none. */
const firesAt = (second: readonly number[], state: (second: number) => CollectorHealth): number | null => {
  const { tell } = start();
  return second.find((now) => tell(now, state(now)).some((alert) => alert.state === 'firing')) ?? null;
};

t.test('a collector that fails for half a minute is told, once, with its error and what to do', async (t) => {
  const { tell } = start();
  tell(0, health({ lastSuccessAt: at(0) }));
  for (const second of seconds(10, 30)) tell(second, failing(5));
  const error = 'nvidia-smi printed nothing for 5.0 s and was killed: the driver may hang';
  for (const second of seconds(40, 120)) tell(second, failing(5, { error }));
  const [alert, ...others] = tell(130, failing(5, { error }));
  t.strictSame(others, []);
  t.match(alert, {
    rule: 'collector_stale',
    severity: 'warning',
    state: 'firing',
    subject: 'host:trainer',
    run: null,
    title: 'Collector gpu is stale',
    firedAt: at(40),
    cause: { code: 'hung_child' },
    evidence: [
      { value: 30, unit: 's', expected: 'at most 1' },
      { name: 'error', value: /printed nothing/ },
      { value: 3 },
    ],
    fix: [/^Run nvidia-smi by hand/, /./, /gpu is tried again by itself/],
  });
  t.match(alert?.problem, /^The collector gpu has not succeeded for 30 s, its last error: "nvidia-smi printed nothing/);
});

t.test('it ends when the collector succeeds, and a collector that goes on failing keeps it', async (t) => {
  const { tell } = start();
  for (const second of seconds(0, 60)) tell(second, failing(0));
  t.match(tell(70, failing(0)), [{ state: 'firing' }]);
  t.match(tell(80, failing(75)), [{ state: 'firing' }], 'it succeeded once, and fails again');
  t.match(tell(90, health({ lastSuccessAt: at(89) })), [{ state: 'resolved', result: 'gpu succeeds again' }]);
});

t.test('short failures, and a collector that looks seldom, are nothing', async (t) => {
  t.equal(
    firesAt(seconds(0, 600), (now) => failing(Math.floor(now / 30) * 30)),
    null,
    'it succeeds every half minute',
  );
  const seldom = (now: number) => health({ everyMs: 60_000, lastSuccessAt: at(Math.floor(now / 60) * 60) });
  t.equal(firesAt(seconds(0, 600), seldom), null);
  t.equal(
    firesAt(seconds(0, 600), () => failing(0, { everyMs: 60_000 })),
    300,
    'five of its periods',
  );
});

t.test('at the start a driver has a minute to wake up', async (t) => {
  t.equal(
    firesAt(seconds(0, 50), () => health({ error: 'the driver does not answer', failures: 4 })),
    null,
  );
  t.equal(
    firesAt(seconds(0, 600), () => health({ error: 'the driver does not answer', failures: 4 })),
    60,
  );
});

t.test('a first look that does not end is told as what it is', async (t) => {
  const { tell } = start();
  for (const second of seconds(0, 50)) t.same(tell(second, health({ durationMs: null })), []);
  t.match(tell(60, health({ durationMs: null })), [
    {
      problem: 'The collector gpu has never succeeded for 60 s, its look has not ended.',
      cause: { code: 'hanging_look' },
    },
  ]);
});

t.test('what was never there is not missed; what was there is', async (t) => {
  const error = 'the NVIDIA driver finds no GPU (nvidia-smi ended with exit code 6: "No devices were found")';
  t.equal(
    firesAt(seconds(0, 600), () => health({ error, failures: 9 })),
    null,
  );
  const { tell } = start();
  for (const second of seconds(0, 30)) tell(second, failing(0, { error }));
  t.match(tell(40, failing(0, { error })), [{ state: 'firing', cause: { code: 'gone' } }]);
});

t.test('a machine that slept for hours raises nothing, and neither does a clock that was set', async (t) => {
  for (const jumpS of [3 * 3600, -3 * 3600, 16]) {
    const { tell } = start();
    for (const second of seconds(0, 50)) tell(second, health({ lastSuccessAt: at(second) }));
    const asleep = health({ lastSuccessAt: at(50) });
    t.same(tell(60 + jumpS, asleep), [], `after ${jumpS} s`);
    t.same(tell(70 + jumpS, asleep), []);
    t.same(tell(80 + jumpS, health({ lastSuccessAt: at(75 + jumpS) })), []);
  }
});

t.test('while it fires, a sleep neither ends it nor makes another', async (t) => {
  const { tell } = start();
  for (const second of seconds(0, 60)) tell(second, failing(0));
  t.match(tell(7200, failing(0)), [{ state: 'firing', noDataSince: at(7200) }]);
  t.match(tell(7210, failing(0)), [{ state: 'firing', noDataSince: null }]);
});

t.test('each collector has an alert of its own, and one that is not there any more ends its own', async (t) => {
  const { tell, tick } = start();
  const host = (second: number) => health({ name: 'host', lastSuccessAt: at(second) });
  for (const second of seconds(0, 60)) tell(second, failing(0), failing(0, { name: 'runs' }), host(second));
  t.match(tick(61), [
    { title: /gpu/, state: 'firing' },
    { title: /runs/, state: 'firing' },
  ]);
  t.match(tell(70, failing(0), host(70)), [
    { title: /gpu/, state: 'firing' },
    { title: /runs/, state: 'resolved', result: 'nothing is collected there any more' },
  ]);
});

t.test('a restart of the service neither ends nor doubles what fires', async (t) => {
  const { tell, restart } = start();
  for (const second of seconds(0, 60)) tell(second, failing(0));
  restart(61);
  t.match(tell(70, health({ error: 'EIO: read', failures: 1 })), [{ id: 'a1', state: 'firing' }]);
  t.match(tell(80, health({ lastSuccessAt: at(79) })), [{ id: 'a1', state: 'resolved' }]);
});

t.test('the cause is read from the words of the error', async (t) => {
  const causeOf = (error: string) => {
    const { tell } = start();
    for (const second of seconds(0, 30)) tell(second, failing(0, { error }));
    return tell(40, failing(0, { error }))[0]?.cause?.code;
  };
  for (const [error, code] of [
    ['the NVIDIA driver is not loaded: check `lsmod | grep nvidia`, reinstall it or reboot', 'driver_gone'],
    ['NVML: Driver/library version mismatch', 'driver_mismatch'],
    ['a GPU has fallen off the bus, and this nvidia-smi then shows none at all', 'gpu_lost'],
    ["EACCES: permission denied, open '/dev/kmsg'", 'permission'],
    ['expected an answer within 5000 ms, found none', 'timeout'],
    ['run /nfs/a: ESTALE: stale file handle', 'file_system'],
    ['EMFILE: too many open files', 'limits'],
    ['SQLITE_FULL: disk is full', 'storage'],
    ['something new', 'other'],
  ] as const) {
    t.equal(causeOf(error), code, error);
  }
});

t.test('an error of any length is cut', async (t) => {
  const { tell } = start();
  for (const second of seconds(0, 30)) tell(second, failing(0, { error: 'x'.repeat(100_000) }));
  const [alert] = tell(40, failing(0, { error: 'x'.repeat(100_000) }));
  t.ok(JSON.stringify(alert).length < 3000);
});
