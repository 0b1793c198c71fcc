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
  readonly parent?: number;
  /** CPU time that it has used, ms. */
  readonly cpuMs?: number;
  /** Pages in memory, and those of them that are shared. */
  readonly pages?: { readonly resident: number; readonly shared: number };
  /** Bytes; absent: it is another user's process, whose I/O may not be read. */
  readonly io?: { readonly read: number; readonly written: number };
  readonly environ?: Readonly<Record<string, string>>;
  /** By thread, on a kernel that keeps such lists. */
  readonly children?: Readonly<Record<number, readonly number[]>>;
};

export const STAGED_PAGE_BYTES = 16_384;

/** A folder in the shape of /proc with processes that tests put there and take away. */
export const createProcessStage = (t: Test) => {
  const procfs = join(t.testdir({ proc: {} }), 'proc');
  const setBoot = (seconds: number) => writeFileSync(join(procfs, 'stat'), `cpu  1 2 3\nbtime ${seconds}\n`);
  setBoot(BOOTED_S);
  mkdirSync(join(procfs, 'self'));
  // AT_HWCAP, AT_PAGESZ, AT_NULL: see getauxval(3).
  const vector = BigUint64Array.of(16n, 1n, 6n, BigInt(STAGED_PAGE_BYTES), 0n, 0n);
  writeFileSync(join(procfs, 'self/auxv'), Buffer.from(vector.buffer));
  return {
    procfs,
    setBoot,
    put: (process: StagedProcess) => {
      const { pid, startedAt, state = 'S', name = 'python', command = [], cwd, files = [], maps } = process;
      const { parent = 1, cpuMs = 0, pages, io, environ, children = {} } = process;
      const folder = join(procfs, String(pid));
      rmSync(folder, { recursive: true, force: true });
      for (const name of ['fd', 'fdinfo']) mkdirSync(join(folder, name), { recursive: true });
      const ticks = Math.round((startedAt / 1000 - BOOTED_S) * 100);
      const [user, system] = [Math.floor(cpuMs / 20), cpuMs / 10 - Math.floor(cpuMs / 20)];
      const fields = [state, parent, ...Array(9).fill('0'), user, system, ...Array(6).fill('0'), ticks, '1000', '20'];
      writeFileSync(join(folder, 'stat'), `${pid} (${name}) ${fields.join(' ')}\n`);
      writeFileSync(join(folder, 'cmdline'), command.map((word) => `${word}\0`).join(''));
      if (pages !== undefined) {
        writeFileSync(join(folder, 'statm'), `99999 ${pages.resident} ${pages.shared} 1 0 9 0\n`);
      }
      if (io !== undefined) {
        const text = `rchar: 9\nwchar: 9\nread_bytes: ${io.read}\nwrite_bytes: ${io.written}\ncancelled_write_bytes: 0\n`;
        writeFileSync(join(folder, 'io'), text);
      }
      if (environ !== undefined) {
        const entries = Object.entries(environ).map(([variable, value]) => `${variable}=${value}\0`);
        writeFileSync(join(folder, 'environ'), entries.join(''));
      }
      for (const [thread, pids] of Object.entries(children)) {
        mkdirSync(join(folder, 'task', thread), { recursive: true });
        writeFileSync(join(folder, 'task', thread, 'children'), pids.map((child) => `${child} `).join(''));
      }
      if (maps !== undefined) writeFileSync(join(folder, 'maps'), maps);
      if (cwd !== undefined) symlinkSync(cwd, join(folder, 'cwd'));
      for (const [i, { path, flags }] of files.entries()) {
        symlinkSync(path, join(folder, 'fd', String(i)));
        writeFileSync(join(folder, 'fdinfo', String(i)), `pos:\t0\nflags:\t${flags}\nmnt_id:\t1\n`);
      }
    },
    /** Many processes that nobody asks for more than their stat, which is quicker made. */
    putCrowd: (from: number, to: number, parent = 1) => {
      for (let pid = from; pid < to; pid++) {
        mkdirSync(join(procfs, String(pid)));
        writeFileSync(join(procfs, String(pid), 'stat'), `${pid} (sh) S ${parent} ${'0 '.repeat(17)}100 1000 20\n`);
      }
    },
    remove: (pid: number) => rmSync(join(procfs, String(pid)), { recursive: true }),
  };
};
