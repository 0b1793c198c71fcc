import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { noTerminals, onlyLaunch, runInTerminal, runTraining, runWords } from '../launch/run-training.ts';

/** A training that waits at a gate, a named pipe, until {@link open} writes to it; then it ends with 7. */
const GATED = 'echo "started $$"; read word <gate; printf "1/2\\r2/2\\n"; echo "finished $word"; exit 7';

const gateIn = (folder: string): { readonly open: () => Promise<void> } => {
  spawnSync('mkfifo', [join(folder, 'gate')]);
  return { open: () => writeFile(join(folder, 'gate'), 'well\n') };
};

/** Runs to the end without a terminal. */
const run = (folder: string, ...command: readonly string[]) => {
  const [program, ...words] = runWords(folder, ...command);
  const { INIT_CWD: _, ...environment } = process.env;
  return spawnSync(program, words, { cwd: folder, encoding: 'utf8', env: environment });
};

const consoleOf = async (folder: string): Promise<string> =>
  readFileSync((await onlyLaunch(folder)).consolePath, 'utf8');

t.test('a training without a terminal keeps its two streams, its input and its exit code', async (t) => {
  const folder = t.testdir({});
  const [program, ...words] = runWords(folder, 'sh', '-c', 'cat; echo wrong >&2; [ -t 1 ] || exit 3');
  const { stdout, stderr, status } = spawnSync(program, words, {
    cwd: folder,
    encoding: 'utf8',
    input: 'one\n\x03two',
    env: { ...process.env, INIT_CWD: folder, SHELL: '/bin/theirs' },
  });
  t.same({ stdout, stderr, status }, { stdout: 'one\n\x03two', stderr: 'wrong\n', status: 3 });
  const text = await consoleOf(folder);
  t.ok(text.includes('one\n\x03two') && text.includes('wrong\n'), 'both are in the console log');
  const { command, cwd, exit, startedAt } = await onlyLaunch(folder);
  t.same(command, words.slice(words.indexOf('--') + 1));
  t.equal(cwd, folder);
  t.match(exit, { exitCode: 3, signal: null });
  t.ok(exit !== null && exit.endedAt >= startedAt, 'it ended after it had started');
});

t.test('every word of the command arrives as it was given, and the environment too', async (t) => {
  const folder = t.testdir({});
  const words = [
    'a b',
    `q'uo"te`,
    '$HOME `id` $(id)',
    'new\nline',
    '',
    '\\n\\',
    '*',
    'ünï',
    ';exit 1',
    "'",
    '--',
    '-e',
  ];
  const print = 'console.log(JSON.stringify([process.argv.slice(1), process.env.SHELL, process.env.LAUNCH_RECORDER]))';
  const { stdout, status } = run(folder, process.execPath, '-e', print, '--', ...words);
  t.equal(status, 0);
  t.same(JSON.parse(stdout), [words, process.env.SHELL ?? null, null]);
});

t.test('a command that cannot be run ends as in a shell, and a missing one says what to write', (t) => {
  const folder = t.testdir({ 'plain.txt': 'not a program' });
  const missing = run(folder, './missing');
  t.equal(missing.status, 127);
  t.match(missing.stderr, /missing.*not found/i);
  const plain = run(folder, './plain.txt');
  t.equal(plain.status, 126);
  t.match(plain.stderr, /permission denied/i);
  const none = run(folder);
  t.equal(none.status, 2);
  t.match(none.stderr, /^signalbox: run: the command is missing.*\n$/);
  t.end();
});

t.test('a folder that cannot be written costs one warning, and the training runs all the same', (t) => {
  const folder = t.testdir({ launches: 'a file where the folder should be' });
  const { stdout, stderr, status } = run(folder, 'sh', '-c', 'echo trained; exit 4');
  t.same({ stdout, status }, { stdout: 'trained\n', status: 4 });
  t.match(stderr, /^signalbox: nothing is kept of this training, it runs all the same: .*\n$/);
  t.end();
});

t.test('a signal sent to us reaches the training once, and what it makes of it is its own', async (t) => {
  const folder = t.testdir({});
  const training = runTraining(
    folder,
    'sh',
    '-c',
    'trap "echo saved; exit 5" TERM; echo ready; while :; do sleep 0.02; done',
  );
  await training.shows('ready');
  training.process.kill('SIGTERM');
  t.equal(await training.closed, 5);
  t.equal(training.output(), 'ready\nsaved\n');

  const other = runTraining(t.testdir({}), 'sh', '-c', 'echo ready; exec sleep 60');
  await other.shows('ready');
  other.process.kill('SIGTERM');
  t.equal(await other.closed, 143, 'one that dies of it gives 128 and its number');
  t.equal(other.errors(), '', 'and nothing is said in its name');
});

t.test('a hang-up does not reach a training without a terminal: it was started with nohup', async (t) => {
  const folder = t.testdir({});
  const gate = gateIn(folder);
  const training = runTraining(folder, 'sh', '-c', GATED);
  await training.shows('started');
  training.process.kill('SIGHUP');
  await gate.open();
  t.equal(await training.closed, 7);
});

t.test('killed with our whole process group, the training goes on, and so do its output and its records', async (t) => {
  const folder = t.testdir({});
  const gate = gateIn(folder);
  const training = runTraining(folder, 'sh', '-c', GATED);
  await training.shows('started');
  process.kill(-training.pid, 'SIGKILL');
  await once(training.process, 'exit');
  t.equal(training.process.signalCode, 'SIGKILL');
  await gate.open();
  await training.closed;
  const { pid, processStartedAt, startedAt, exit } = await onlyLaunch(folder);
  t.equal(training.output(), `started ${pid}\n1/2\r2/2\nfinished well\n`, 'the pid is the training’s own');
  t.equal(await consoleOf(folder), training.output());
  t.match(exit, { exitCode: 7, signal: null });
  if (process.platform === 'linux') t.ok(Math.abs((processStartedAt ?? 0) - startedAt) < 5000, 'and so is its start');
});

t.test('in a terminal', { skip: noTerminals }, async (t) => {
  t.test('the training has a terminal of the same size, follows its changes, and draws its bars', async (t) => {
    const folder = t.testdir({});
    // stty sets rows and columns one after the other: the first signal of the two may come before both are set.
    const training = runInTerminal(
      folder,
      'sh',
      '-c',
      '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && stty size; trap \'[ "$(stty size)" = "44 123" ] && trap "" WINCH && stty size && exit 6\' WINCH; printf "1/2\\r2/2\\n"; echo ready; while :; do sleep 0.02; done',
    );
    await training.shows('ready');
    const terminal = openSync(
      readFileSync(join(folder, 'terminal.txt'), 'utf8').trim(),
      constants.O_RDWR | constants.O_NOCTTY,
    );
    spawnSync('stty', ['rows', '44', 'cols', '123'], { stdio: [terminal, 'ignore', 'inherit'] });
    closeSync(terminal);
    t.equal(await training.closed, 6);
    t.equal(training.output(), '33 101\r\n1/2\r2/2\r\nready\r\n44 123\r\n');
    t.equal(await consoleOf(folder), training.output(), 'byte for byte in the console log');
    t.match(readFileSync(join(folder, 'after.txt'), 'utf8'), / icanon.* -echo /s, 'the terminal is as it was before');
  });

  t.test('keys reach the training; Ctrl+C interrupts it and its workers as it would without us', async (t) => {
    const folder = t.testdir({});
    const training = runInTerminal(
      folder,
      'sh',
      '-c',
      '(trap "echo worker; exit" INT; while :; do sleep 0.02; done) & printf "name? "; read name; echo "hello $name"; exec sleep 60',
    );
    await training.shows('name? ');
    training.type('Ada\r');
    await training.shows('hello Ada');
    training.type('\x03');
    t.equal(await training.closed, 130);
    t.match((await onlyLaunch(folder)).exit, { exitCode: null, signal: 'SIGINT' });
  });

  t.test('killed, the training goes on on the screen, and the terminal is free for other things', async (t) => {
    const folder = t.testdir({});
    const gate = gateIn(folder);
    spawnSync('mkfifo', [join(folder, 'end')]);
    const training = runInTerminal(folder, 'sh', '-c', GATED);
    await training.shows('started');
    process.kill(Number(readFileSync(join(folder, 'pid.txt'), 'utf8')), 'SIGKILL');
    await gate.open();
    await training.shows('finished well');
    writeFileSync(join(folder, 'end'), 'the shell goes on\n');
    t.equal(await training.closed, 137, 'the shell saw us killed');
    t.match(training.output(), /the shell goes on/);
    t.match(await consoleOf(folder), /^started \d+\r\n1\/2\r2\/2\r\nfinished well\r\n$/);
  });
});
