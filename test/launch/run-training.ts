import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Launch } from '../../src/collectors/launch/folder.ts';
import { listLaunches } from '../../src/collectors/launch/launches.ts';

const BIN = fileURLToPath(new URL('../../bin/signalbox.js', import.meta.url));

/** Why a test of terminals cannot run here; false where it can. */
export const noTerminals = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux')
  ? false
  : 'script of util-linux is not here';

/** A started `signalbox run`, in a process group of its own. */
export type RunningTraining = {
  readonly process: ChildProcess;
  readonly pid: number;
  /** What came so far. */
  readonly output: () => string;
  readonly errors: () => string;
  /** Types into the outer terminal. */
  readonly type: (keys: string) => void;
  /** Resolves when the output holds this text. */
  readonly shows: (text: string) => Promise<void>;
  /** Resolves to the exit code when nobody holds its output any more: the training has ended, and what copies it. */
  readonly closed: Promise<number | null>;
};

/** The one launch that is kept in this folder. Throws when there is not exactly one. */
export const onlyLaunch = async (folder: string): Promise<Launch> => {
  const [launch, ...others] = await listLaunches(join(folder, 'launches'));
  if (launch === undefined || others.length > 0) throw new Error(`expected one launch, found ${others.length + 1}`);
  return launch;
};

/** The words of `signalbox run` of the built product with its history in `folder`. */
export const runWords = (folder: string, ...command: readonly string[]): readonly [string, ...string[]] => [
  process.execPath,
  BIN,
  'run',
  '--db',
  join(folder, 'signalbox.db'),
  '--',
  ...command,
];

/** Starts it as cron or CI does: no stream is a terminal. */
export const runTraining = (folder: string, ...command: readonly string[]): RunningTraining =>
  observe(folder, runWords(folder, ...command));

/**
 * Starts it in a terminal, made by `script`; the path of that terminal is in `terminal.txt`, our pid in `pid.txt`.
 * A shell that has gone on to other things stays at the terminal when we are killed.
 */
export const runInTerminal = (folder: string, ...command: readonly string[]): RunningTraining =>
  observe(folder, [
    'script',
    '-q',
    '-e',
    '-c',
    `tty >terminal.txt; stty -echo rows 33 cols 101; sh -c 'echo $$ >pid.txt; exec "$@"' - ${runWords(
      folder,
      ...command,
    )
      .map(quote)
      .join(' ')}; status=$?; stty -a >after.txt; cat end 2>/dev/null; exit $status`,
    '/dev/null',
  ]);

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

const observe = (folder: string, [program, ...words]: readonly [string, ...string[]]): RunningTraining => {
  const { INIT_CWD: _, ...environment } = process.env;
  const child = spawn(program, words, {
    cwd: folder,
    env: { ...environment, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const { pid, stdin, stdout, stderr } = child;
  if (pid === undefined) throw new Error(`${program} could not be started`);
  let output = '';
  let errors = '';
  stdout.on('data', (chunk) => {
    output += chunk;
  });
  stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const closed = once(child, 'close').then(() => child.exitCode);
  return {
    process: child,
    pid,
    output: () => output,
    errors: () => errors,
    type: (keys) => stdin.write(keys),
    shows: async (text) => {
      while (!output.includes(text)) await once(stdout, 'data');
    },
    closed,
  };
};
