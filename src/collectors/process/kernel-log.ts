import { closeSync, openSync, readSync } from 'node:fs';
import type { Batch } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import { READ_WITHOUT_WAITING } from '../file/access.ts';
import type { XidEvents } from '../gpu/nvml/xid-events.ts';
import { textIfAllowed } from './files.ts';
import { parseKernelKill, parseXid } from './kernel-log-parser.ts';

export type KernelLogOptions = {
  /** `/dev/kmsg`, or a pipe or a file in its shape. */
  readonly path: string;
  readonly procfs: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Who is asked for XIDs where the log cannot be read; null: nobody can be. */
  readonly driver: XidEvents | null;
};

/** A record of the kernel is at most 8 KiB long; with a shorter buffer the read fails. */
const RECORD_BYTES = 8192;
/** More than any kernel's buffer holds at once, so that a look has an end. */
const MAX_READS = 100_000;
/** What the kernel still remembers of the time before our start, and how much of that is of use. */
const REMEMBERED_MS = 60 * 60_000;

/**
 * What the kernel log tells: processes that were killed because memory ran out, and errors of GPUs (XIDs). `xids` is
 * there, empty or not, whenever the log was read: only then does "no XID" mean anything. Where it may not be read that
 * is said once, with what to do, and the driver is asked, which tells of most XIDs and of no kills. Pids are those of
 * the host: in a container they are others than ours, see `killOf` in run-processes.ts.
 */
export const createKernelLogCollector = ({ path, procfs, clock, log, driver }: KernelLogOptions): Collector => {
  const buffer = Buffer.alloc(RECORD_BYTES);
  /** undefined: not opened yet; null: it cannot be read. */
  let descriptor: number | null | undefined;
  let partial = '';
  let lookedAt: number | null = null;

  const close = () => {
    if (typeof descriptor === 'number') closeSync(descriptor);
    descriptor = undefined;
    partial = '';
    lookedAt = null;
  };

  /** The whole lines that are new. */
  const readLines = (file: number): readonly string[] => {
    const parts = [partial];
    for (let reads = 0; reads < MAX_READS; reads++) {
      const length = readRecord(file, buffer);
      if (length === 0) break;
      if (length !== null) parts.push(buffer.toString('utf8', 0, length));
    }
    const lines = parts.join('').split('\n');
    partial = lines.pop() ?? '';
    return lines;
  };

  return {
    name: 'kernel-log',
    when: { everyMs: 1000 },
    timeoutMs: 10_000,
    collect: async () => {
      if (descriptor === undefined) {
        descriptor = openIfAllowed(path, (code) => {
          log.warn({ path, code, whatToDo: WHAT_TO_DO[code] }, lackWith(driver));
        });
      }
      if (descriptor === null) return askDriver(driver);
      const now = clock.now();
      const since = lookedAt;
      const lines = readLines(descriptor);
      lookedAt = now;
      const kills = lines.flatMap((line) => parseKernelKill(line) ?? []);
      const xids = lines.flatMap((line) => parseXid(line) ?? []);
      if (kills.length + xids.length === 0) return { xids: [] };
      const bootedAt = bootedAtOf(textIfAllowed(`${procfs}/stat`));
      // The kernel's count stands still while the machine sleeps, but what is new is not older than the last look.
      const dated = <T extends { readonly us: number }>({ us, ...rest }: T) => {
        const at = bootedAt === null ? now : Math.min(now, Math.max(bootedAt + Math.round(us / 1000), since ?? 0));
        return at < now - REMEMBERED_MS ? [] : [{ at, ...rest }];
      };
      const batch: Batch = { xids: xids.flatMap(dated) };
      const kernelKills = kills.flatMap(dated);
      return kernelKills.length === 0 ? batch : { ...batch, kernelKills };
    },
    startOver: close,
    close: async () => {
      close();
      await driver?.close();
    },
  };
};

const askDriver = (driver: XidEvents | null): Batch => {
  const driverXids = driver?.take() ?? [];
  return driverXids.length === 0 ? {} : { driverXids };
};

/** What is missing without the log. */
const lackWith = (driver: XidEvents | null): string =>
  driver === null
    ? 'the kernel log cannot be read: XIDs of GPUs are not known, kills for want of memory show as "process gone"'
    : 'the kernel log cannot be read: NVML is asked for XIDs of GPUs, kills for want of memory show as "process gone"';

/** By the code of the error; in a container the first two are one and the same flaw. */
const WHAT_TO_DO: Readonly<Record<string, string>> = {
  ENOENT: 'in a container, give it the device: --device /dev/kmsg --cap-add SYSLOG',
  EPERM:
    'sysctl kernel.dmesg_restrict=0, or start the service with CAP_SYSLOG (in a container: --device /dev/kmsg --cap-add SYSLOG)',
  EACCES: 'let the user of the service read /dev/kmsg, for example: setfacl -m u:USER:r /dev/kmsg',
};

const openIfAllowed = (path: string, onRefusal: (code: string) => void): number | null => {
  try {
    return openSync(path, READ_WITHOUT_WAITING);
  } catch (error) {
    if (!isOneOf(error, 'ENOENT', 'EACCES', 'EPERM')) throw error;
    onRefusal(error.code);
    return null;
  }
};

/** 0: there is nothing more now. null: records were lost before they were read, the next read goes on behind them. */
const readRecord = (file: number, buffer: Buffer): number | null => {
  try {
    return readSync(file, buffer, 0, buffer.length, null);
  } catch (error) {
    if (isOneOf(error, 'EAGAIN')) return 0;
    if (isOneOf(error, 'EPIPE')) return null;
    throw error;
  }
};

const isOneOf = (error: unknown, ...codes: readonly string[]): error is Error & { readonly code: string } =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

const bootedAtOf = (systemStat: string | null): number | null => {
  const seconds = /^btime (\d+)$/m.exec(systemStat ?? '')?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
};
