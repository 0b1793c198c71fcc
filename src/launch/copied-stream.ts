import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Keeping } from './keeping.ts';

/** A stream on its way to the screen, or wherever it went before, and a copy of it to the console log. */
export type CopiedStream = {
  /** The descriptor to write to; to be closed here once the writer has it. */
  readonly writeEnd: number;
  /** Resolves when everything has been written and nobody holds the write end any more. */
  readonly written: Promise<void>;
};

/** `tee` goes on to the screen when the disk is full. It ends with its input and by nothing else that is sent to all. */
const COPY = 'trap "" HUP INT QUIT TERM USR1 USR2; exec tee -a /dev/fd/3';

/** Starts a `tee` from a new pipe to `target`, a descriptor of ours. Throws where there is no `mkfifo` or no room. */
export const copyStream = (target: number, keeping: Keeping): CopiedStream => {
  const { readEnd, writeEnd } = openPipe(join(keeping.folder, `pipe-${target}`));
  const tee = spawn('/bin/sh', ['-c', COPY], { stdio: [readEnd, target, 'ignore', keeping.console], detached: true });
  closeSync(readEnd);
  const written = new Promise<void>((resolve) => {
    tee.once('exit', () => resolve());
    tee.once('error', () => resolve());
  });
  return { writeEnd, written };
};

/** Node has no pipe(2), and its own `stdio: 'pipe'` is a socket, which a program cannot open again as /dev/stdout. */
const openPipe = (path: string): { readonly readEnd: number; readonly writeEnd: number } => {
  const { error, status, stderr } = spawnSync('mkfifo', ['-m', '600', path], { encoding: 'utf8' });
  if (error || status !== 0) throw error ?? new Error(stderr.trim());
  // Open for both, so that opening either end waits for nobody.
  const both = openSync(path, 'r+');
  try {
    return { readEnd: openSync(path, 'r'), writeEnd: openSync(path, 'w') };
  } finally {
    closeSync(both);
    rmSync(path);
  }
};
