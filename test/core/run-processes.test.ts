import t from 'tap';
import type { ObservedLife } from '../../src/core/batch.ts';
import {
  type KnownProcess,
  killOf,
  launchedProcess,
  matchedProcess,
  meet,
  pidsToWatch,
  presenceOf,
  presenceOnGpus,
  saidProcess,
  seeLives,
} from '../../src/core/run-processes.ts';

const T0 = 1_757_427_471_000;
const SECOND = 1000;
const life = (startedAt: number | null, state: string | null = 'R', pid = 4711): ObservedLife => ({
  pid,
  startedAt,
  state,
});
const NOBODY = life(null, null);

const said = (over: { host?: string; pid?: number } = {}): readonly KnownProcess[] => {
  const process = saidProcess({ kind: 'start', t: T0, pid: 4711, ...over }, 'trainer1');
  return process === null ? [] : [process];
};
const matched = (confidence: number): readonly KnownProcess[] => {
  const process = matchedProcess(4711, { run: 'r', confidence, startedAt: T0 });
  return process === null ? [] : [process];
};
/** Looks a second apart, the first at T0. */
const after = (known: readonly KnownProcess[], ...lives: readonly ObservedLife[]) =>
  lives.reduce((now, one, i) => seeLives(now, [one], T0 + i * SECOND), known);

t.test('a process that was seen alive is alive until it is missed, then gone since that look', async (t) => {
  const known = after(said(), life(T0 - 20 * SECOND));
  t.match(presenceOf(known), { status: 'alive', pids: [4711], state: 'R' });
  t.same(presenceOf(after(said(), life(T0 - 20 * SECOND), NOBODY, NOBODY)), {
    status: 'gone',
    pids: [4711],
    goneAt: T0 + SECOND,
    seenAliveAt: T0,
  });
});

t.test('a pid that was given to another process is gone; a zombie is gone', async (t) => {
  t.match(presenceOf(after(matched(0.8), life(T0), life(T0 + 9 * SECOND))), { status: 'gone' });
  t.match(presenceOf(after(matched(0.8), life(T0), life(T0, 'Z'))), { status: 'gone' });
  t.match(presenceOf(after(matched(0.8), life(T0), life(T0 + 900))), { status: 'alive' }, 'a start rounded otherwise');
});

t.test('a pid from a sidecar that nobody has seen alive is not gone: it may be one of a container', async (t) => {
  t.same(presenceOf(after(said({ host: 'trainer1' }), NOBODY)), { status: 'unknown' });
  t.same(presenceOf(after(said(), life(T0 + 3600 * SECOND))), { status: 'unknown' }, 'younger than what it said');
});

t.test(
  'a sidecar of another host names no process of ours, one of ours only one that began when it said',
  async (t) => {
    t.same(said({ host: 'trainer2' }), []);
    t.match(presenceOf(after(said({ host: 'trainer1' }), life(T0 - 60 * SECOND))), { status: 'alive' });
    const daemon = life(T0 - 86_400 * SECOND);
    t.same(
      presenceOf(after(said({ host: 'trainer1' }), daemon)),
      { status: 'unknown' },
      'the pid is one of a container',
    );
  },
);

t.test('a resumed training that has the same pid again, as in a container, is another process', async (t) => {
  const ended = after(said(), life(T0 - SECOND), NOBODY);
  const again = saidProcess({ kind: 'start', t: T0 + 600 * SECOND, pid: 4711 }, 'trainer1');
  const known = meet(meet(ended, launchedProcess(4711, T0 - SECOND)), again ?? launchedProcess(1, 0));
  t.equal(known.length, 2);
  t.match(presenceOf(after(known, life(T0 + 590 * SECOND))), { status: 'alive', pids: [4711] });
});

t.test('a process that signalbox run started is gone when it is missed, even if nobody saw it alive', async (t) => {
  t.match(presenceOf(after([launchedProcess(4711, T0)], NOBODY)), { status: 'gone', seenAliveAt: null });
});

t.test('a process that ends between the look that found it and the first look after it is gone', async (t) => {
  t.match(presenceOf(after(matched(0.8), NOBODY)), { status: 'gone', seenAliveAt: null });
});

t.test('the end of a process that is only guessed to be the training says nothing of the run', async (t) => {
  t.match(presenceOf(after(matched(0.5), life(T0))), { status: 'alive' });
  t.same(presenceOf(after(matched(0.5), life(T0), NOBODY)), { status: 'unknown' });
});

t.test('a run lives as long as one of its processes does', async (t) => {
  const two = meet(meet([], launchedProcess(1, T0)), launchedProcess(2, T0));
  const seen = seeLives(two, [life(T0, 'R', 1), life(T0, 'R', 2)], T0);
  const one = seeLives(seen, [life(null, null, 1), life(T0, 'S', 2)], T0 + SECOND);
  t.match(presenceOf(one), { status: 'alive', pids: [2] });
  t.same(pidsToWatch(one), [2]);
});

t.test('the same process told of twice is one, and as sure as the surer tells', async (t) => {
  const known = meet(after(matched(0.5), life(T0)), launchedProcess(4711, T0 + 500));
  t.equal(known.length, 1);
  t.match(presenceOf(after(known, NOBODY)), { status: 'gone' });
});

t.test('how long a process has been in its state is known', async (t) => {
  const known = after(matched(0.8), life(T0), life(T0, 'T'), life(T0, 'T'));
  t.match(presenceOf(known), { status: 'alive', state: 'T', stateSince: T0 + SECOND });
});

t.test("where /proc does not show a process, the driver's list tells whether it lives", async (t) => {
  t.equal(matchedProcess(4711, { run: 'r', confidence: 0.95, startedAt: null }), null);
  const process = {
    gpuUuid: 'GPU-a',
    pid: 4711,
    memory: 1,
    user: null,
    command: null,
    cwd: null,
    startedAt: null,
    openFolders: [],
  };
  const alive = presenceOnGpus([4711], [process], { status: 'unknown' }, T0);
  t.match(alive, { status: 'alive', pids: [4711] });
  t.same(presenceOnGpus([4711], null, alive, T0), { status: 'unknown' });
  const gone = presenceOnGpus([4711], [], alive, T0);
  t.match(gone, { status: 'gone', goneAt: T0 });
  t.same(presenceOnGpus([4711], [], gone, T0 + SECOND), gone, 'gone since then, not since now');
});

t.test('a kill in the kernel log is a run’s when pid and moment are those of its process', async (t) => {
  const known = after(matched(0.8), life(T0 - 500), NOBODY);
  const kill = { pid: 4711, at: T0 + 600, line: 'Out of memory: Killed process 4711 (python)' };
  t.same(killOf(known, [{ ...kill, pid: 4712 }, kill]), kill);
  t.equal(killOf(known, [{ ...kill, at: T0 + 60 * SECOND }]), null, 'another process of the same number, later');
  t.equal(killOf(known, [{ ...kill, at: T0 - 3600 * SECOND }]), null, 'and earlier');
  t.equal(killOf(after(matched(0.8), life(T0)), [kill]), null, 'it lives');
});
