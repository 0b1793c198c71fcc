import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

/** When the staged machine was booted, in seconds. */
const BOOTED_S = 1_757_400_000;

export type StagedProcess = {
  readonly pid: number;
  readonly startedAt: number;
  readonly state?: string;
  /** As the kernel shows it in stat, any characters. */
  readonly name?: string;
  readonly command?: readonly string[];
  readonly cwd?: string;
  /** Open files, with the flags of open(2) in octal. */
  readonly files?: readonly { readonly path: string; readonly flags: string }[];
  readonly maps?: string;
};

/** A folder in the shape of /proc with processes that tests put there and take away. */
export const createProcessStage = (t: Test) => {
  const procfs = join(t.testdir({ proc: {} }), 'proc');
  const setBoot = (seconds: number) => writeFileSync(join(procfs, 'stat'), `cpu  1 2 3\nbtime ${seconds}\n`);
  setBoot(BOOTED_S);
  return {
    procfs,
    setBoot,
    put: ({ pid, startedAt, state = 'S', name = 'python', command = [], cwd, files = [], maps }: StagedProcess) => {
      const folder = join(procfs, String(pid));
      rmSync(folder, { recursive: true, force: true });
      for (const name of ['fd', 'fdinfo']) mkdirSync(join(folder, name), { recursive: true });
      const ticks = Math.round((startedAt / 1000 - BOOTED_S) * 100);
      const fields = [state, ...Array(18).fill('0'), ticks, '1000', '20'];
      writeFileSync(join(folder, 'stat'), `${pid} (${name}) ${fields.join(' ')}\n`);
      writeFileSync(join(folder, 'cmdline'), command.map((word) => `${word}\0`).join(''));
      if (maps !== undefined) writeFileSync(join(folder, 'maps'), maps);
      if (cwd !== undefined) symlinkSync(cwd, join(folder, 'cwd'));
      for (const [i, { path, flags }] of files.entries()) {
        symlinkSync(path, join(folder, 'fd', String(i)));
        writeFileSync(join(folder, 'fdinfo', String(i)), `pos:\t0\nflags:\t${flags}\nmnt_id:\t1\n`);
      }
    },
    remove: (pid: number) => rmSync(join(procfs, String(pid)), { recursive: true }),
  };
};
