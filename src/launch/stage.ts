import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { type CopiedStream, copyStream } from './copied-stream.ts';
import type { Keeping } from './keeping.ts';
import { EVALUATE_RECORDER } from './recorder.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** How a training is started so that it sees what it would see without us, while its output is copied. */
export type Stage = {
  /** The program that evaluates the recorder, with its arguments. */
  readonly program: readonly [string, ...string[]];
  /** Its descriptors 0 to 5, as `spawn` takes them. */
  readonly stdio: readonly (number | 'pipe' | 'ignore')[];
  /** See the recorder. */
  readonly redirections: string;
  /** Of the person, when the training gets a pseudo-terminal in its place. */
  readonly terminal: Terminal | null;
  readonly copies: readonly CopiedStream[];
};

/** Closes our ends of the pipes, which the started program has now. */
export const handOver = ({ copies }: Stage): void => {
  for (const { writeEnd } of copies) closeSync(writeEnd);
};

/**
 * Chooses by what our own streams are: with a terminal on stdout or stderr the training gets a pseudo-terminal for it,
 * else the kind of stream that is there; `> train.log` stays free of progress bars. With nothing to keep, or without
 * util-linux's `script` where a pseudo-terminal is needed, the training gets our streams themselves.
 */
export const openStage = (keeping: Keeping | null, warn: (line: string) => void): Stage => {
  if (keeping === null) return bareStage();
  const onTerminal = isatty(1) || isatty(2);
  if (onTerminal && !hasScript()) {
    warn('no console log is kept of this training: it takes the program "script" of util-linux, which is not here');
    return bareStage();
  }
  try {
    return onTerminal ? terminalStage(keeping) : plainStage(keeping);
  } catch (error) {
    warn(`no console log is kept of this training: ${error instanceof Error ? error.message : error}`);
    return bareStage();
  }
};

const bareStage = (): Stage => ({
  program: ['/bin/sh', '-c', EVALUATE_RECORDER],
  stdio: [0, 1, 2, 'pipe'],
  redirections: '',
  terminal: null,
  copies: [],
});

const plainStage = (keeping: Keeping): Stage => {
  const out = copyStream(1, keeping);
  // One pipe for `2>&1`, so that the order of the lines stays.
  const errors = isSameFile(1, 2) ? out : copyStream(2, keeping);
  return {
    ...bareStage(),
    stdio: [0, out.writeEnd, errors.writeEnd, 'pipe'],
    copies: errors === out ? [out] : [out, errors],
  };
};

/**
 * `script` sits between the pseudo-terminal and two pipes, the keys and the screen; its own log, with a headline that
 * is not the training's and an end when the disk is full, goes to /dev/null. A stream that is no terminal passes it by
 * as descriptor 4 or 5.
 */
const terminalStage = (keeping: Keeping): Stage => {
  const screen = copyStream(isatty(1) ? 1 : 2, keeping);
  const other = isatty(1) && isatty(2) ? null : copyStream(isatty(1) ? 2 : 1, keeping);
  return {
    program: ['script', '-q', '-e', '-c', EVALUATE_RECORDER, '/dev/null'],
    stdio: ['pipe', screen.writeEnd, 2, 'pipe', isatty(0) ? 'ignore' : 0, other?.writeEnd ?? 'ignore'],
    redirections: [isatty(0) ? '' : '<&4', other === null ? '' : isatty(1) ? '2>&5' : '>&5'].join(' '),
    terminal: openTerminal(isatty(1) ? 1 : 2, { keyboard: isatty(0) }),
    copies: other === null ? [screen] : [screen, other],
  };
};

/** The `script` of BSD and macOS takes other arguments. */
const hasScript = (): boolean => {
  const { stdout } = spawnSync('script', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
  return (stdout ?? '').includes('util-linux');
};

const isSameFile = (a: number, b: number): boolean => {
  const [one, other] = [fstatSync(a, { bigint: true }), fstatSync(b, { bigint: true })];
  return one.dev === other.dev && one.ino === other.ino;
};
