import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readLaunch } from '../../../src/collectors/launch/folder.ts';
import { listLaunches, pruneLaunches } from '../../../src/collectors/launch/launches.ts';

const START = {
  version: 1,
  command: ['yolo', 'train', 'name=a b'],
  cwd: '/home/ada/yolo',
  host: 'trainer1',
  user: 'ada',
  startedAt: 1_757_427_471_000,
};
const PROCESS = {
  pid: 4711,
  stat: '4711 (sh) R 4700 4700 4700 34816 4700 4194304 89 0 0 0 0 0 0 0 20 0 1 0 362135 2654208 231 0 0',
  systemStat: 'btime 1757423850',
};
const EXIT = { status: 0, endedAt: 1_757_431_071_000 };

const records = (launch: { start?: object | string; process?: object | string; exit?: object | string }) =>
  Object.fromEntries(
    Object.entries({
      'launch.json': launch.start ?? START,
      'process.json': launch.process,
      'exit.json': launch.exit,
    }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? value : JSON.stringify(value)]],
    ),
  );

t.test('a launch that has ended is read with all that was kept of it', async (t) => {
  const id = '20250909141751-0a1b2c';
  const folder = join(t.testdir({ [id]: records({ process: PROCESS, exit: EXIT }) }), id);
  const { version: _, ...start } = START;
  t.same(await readLaunch(folder), {
    id,
    ...start,
    pid: 4711,
    processStartedAt: 1_757_427_471_350,
    exit: { exitCode: 0, signal: null, endedAt: EXIT.endedAt },
    consolePath: join(folder, 'console.log'),
  });
});

t.test('a status over 128 is the signal that ended the training, where there is such a signal', async (t) => {
  const endOf = async (status: number) => (await readLaunch(t.testdir(records({ exit: { ...EXIT, status } }))))?.exit;
  t.match(await endOf(137), { exitCode: null, signal: 'SIGKILL' });
  t.match(await endOf(130), { exitCode: null, signal: 'SIGINT' });
  t.match(await endOf(128), { exitCode: 128, signal: null });
  t.match(await endOf(255), { exitCode: 255, signal: null });
});

t.test('a launch that is half there has what it has, and null for the rest', async (t) => {
  for (const broken of ['', '{"pid":', '[]', '{"pid":-1,"stat":"","systemStat":""}', '{"pid":"4711"}', 'null']) {
    const launch = await readLaunch(t.testdir(records({ process: broken, exit: broken })));
    t.match(launch, { pid: null, processStartedAt: null, exit: null, command: START.command }, broken);
  }
});

t.test('a folder without an understandable start is no launch', async (t) => {
  const { cwd: _, ...withoutCwd } = START;
  for (const start of [
    '',
    '{',
    withoutCwd,
    { ...START, command: [] },
    { ...START, version: 2 },
    { ...START, cwd: 'x' },
  ]) {
    t.equal(await readLaunch(t.testdir(records({ start, exit: EXIT }))), null, JSON.stringify(start));
  }
  t.equal(await readLaunch(t.testdir(records({ start: `{"a":"${'x'.repeat(2 ** 20)}"}` }))), null, 'too large');
  t.equal(await readLaunch(join(t.testdir({}), 'missing')), null);
  const piped = t.testdir({});
  if (spawnSync('mkfifo', [join(piped, 'launch.json')]).status === 0) t.equal(await readLaunch(piped), null, 'a pipe');
});

t.test('launches are listed newest first, and what is no launch is passed over', async (t) => {
  const launches = t.testdir({
    '20250909141751-000001': records({}),
    '20251001000000-000002': records({ exit: EXIT }),
    '20251001000000-000003': {},
    'something-else': records({}),
    'a-file': '',
  });
  t.same(
    (await listLaunches(launches)).map(({ id }) => id),
    ['20251001000000-000002', '20250909141751-000001'],
  );
  t.same(await listLaunches(join(launches, 'missing')), []);
});

t.test('old launches go, but not one that has no end yet, and never a file that is not ours', async (t) => {
  const ended = { ...records({ process: PROCESS, exit: EXIT }), 'console.log': 'hello' };
  const launches = t.testdir({
    '20250101000000-000001': { ...ended, 'notes.txt': 'mine' },
    '20250102000000-000002': records({}),
    '20250103000000-000003': { ...ended },
    '20250104000000-000004': { ...ended },
    kept: { 'console.log': 'not a launch' },
  });
  t.same(await pruneLaunches(launches, 1), ['20250103000000-000003', '20250101000000-000001']);
  t.notOk(existsSync(join(launches, '20250103000000-000003')), 'with its folder');
  t.same(readdirSync(join(launches, '20250101000000-000001')), ['notes.txt']);
  t.same(
    (await listLaunches(launches)).map(({ id }) => id),
    ['20250104000000-000004', '20250102000000-000002'],
  );
  t.ok(existsSync(join(launches, 'kept/console.log')));
});
