import type { ObservedProcess } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Collector } from '../../core/ports.ts';
import { type ProcessSources, readProcess } from '../process/facts.ts';
import { createLineChild } from './line-child.ts';
import { explainSmiFailure } from './smi-errors.ts';

const FIELDS = ['timestamp', 'gpu_uuid', 'pid', 'used_gpu_memory', 'process_name'] as const;
const LOOP = ['--format=csv,noheader,nounits', '-lms'] as const;
const MIB = 2 ** 20;

/** One process on one GPU, as one line of `nvidia-smi --query-compute-apps` says it; `printedAt` is local time. */
export type ProcessRow = {
  readonly printedAt: number;
  readonly gpuUuid: string;
  readonly pid: number;
  readonly memory: number | null;
  readonly name: string | null;
};

/** null when the line is a message of the program, or cut off. A process name may hold `, `: it stands last. */
export const parseProcessRow = (line: string): ProcessRow | null => {
  const [timestamp = '', gpuUuid = '', pid = '', memory = '', ...name] = line.trimEnd().split(', ');
  const printed = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3})$/.exec(timestamp);
  if (printed === null || name.length === 0 || !/^(GPU|MIG)-/.test(gpuUuid) || !/^\d+$/.test(pid)) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0] = printed.slice(1).map(Number);
  return {
    printedAt: new Date(year, month - 1, day, hour, minute, second, ms).getTime(),
    gpuUuid,
    pid: Number(pid),
    memory: /^\d+$/.test(memory) ? Number(memory) * MIB : null,
    name: /^\[.*\]$/.test(name.join(', ')) ? null : name.join(', '),
  };
};

export type GpuProcessesOptions = {
  /** The program, behind the words that make the system end it when we die: see `findLauncher`. */
  readonly launcher: readonly [string, ...string[]];
  readonly periodMs: number;
  readonly sources: ProcessSources;
  /** Does the driver answer at this moment? See below. */
  readonly driverAnswers: () => boolean;
  /** Why pids of the driver mean nothing here: see `whyPidsAreForeign`; null: they do. */
  readonly pidsAreForeign: string | null;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Who holds memory on the GPUs, from a second long-lived nvidia-smi.
 *
 * The program marks no rounds, and with no process it prints nothing at all. So: lines of different processes whose own
 * timestamps are less than half a period apart are one round; a round counts when no line can follow it any more; and
 * silence of two periods is the empty list, but only while the driver answers the other child, which prints every tick.
 * Else it hangs, and the processes are not known: null. Silence also means that no broken pipe ends the child when we
 * are killed, so the launcher has to.
 */
export const createGpuProcessesCollector = (options: GpuProcessesOptions): Collector => {
  const { launcher, periodMs, sources, driverAnswers, pidsAreForeign, clock, log } = options;
  let startedAt = clock.now();
  let open: { readonly cameAt: number; readonly rows: ProcessRow[] } | null = null;
  let known: readonly ProcessRow[] | null = null;
  let remarked = false;
  /** Did the last batch say which processes there are? */
  let saidWhich = false;
  /** Why the child ended, when that made the processes unknown: a look gives a batch or an error, so the next one throws it. */
  let owed: { readonly error: unknown } | null = null;

  const child = createLineChild({
    name: 'nvidia-smi',
    command: () => [...launcher, `--query-compute-apps=${FIELDS.join(',')}`, ...LOOP, String(periodMs)],
    environment: null,
    saysWhenItRuns: false,
    explainEnd: explainSmiFailure,
    silenceMs: null,
    onStart: () => {
      startedAt = clock.now();
      open = null;
      known = null;
    },
    onLine: (line) => {
      const row = parseProcessRow(line);
      if (row === null) return line.trim() === '';
      if (open !== null && isSameRound(open.rows, row, periodMs)) {
        open.rows.push(row);
        return true;
      }
      if (open !== null) known = open.rows;
      open = { cameAt: clock.now(), rows: [row] };
      return true;
    },
    onRemark: (text) => {
      if (!remarked) log.warn({ text }, 'nvidia-smi reports a problem with the processes');
      remarked = true;
    },
  });

  return {
    name: 'gpu-processes',
    when: { everyMs: periodMs, retryWithinMs: periodMs },
    timeoutMs: 10_000,
    collect: async () => {
      if (pidsAreForeign !== null) return { processes: null, processesUnknown: pidsAreForeign };
      if (owed !== null) {
        const { error } = owed;
        owed = null;
        throw error;
      }
      try {
        child.ensure();
      } catch (error) {
        if (!saidWhich) throw error;
        saidWhich = false;
        owed = { error };
        return { processes: null, processesUnknown: error instanceof Error ? error.message : String(error) };
      }
      const silentMs = clock.now() - (open?.cameAt ?? startedAt);
      if (silentMs > 2 * periodMs) known = driverAnswers() ? [] : null;
      else if (open !== null && silentMs > periodMs / 4) known = open.rows;
      saidWhich = known !== null;
      return { processes: known?.map((row) => describe(row, sources)) ?? null };
    },
    close: child.close,
  };
};

/** A process that comes again begins a new round, however late the one before was printed. */
const isSameRound = (rows: readonly ProcessRow[], row: ProcessRow, periodMs: number): boolean =>
  rows.every(({ printedAt }) => Math.abs(row.printedAt - printedAt) < periodMs / 2) &&
  !rows.some(({ gpuUuid, pid }) => gpuUuid === row.gpuUuid && pid === row.pid);

/** Where /proc does not show the command, the program's own word for the process is better than none. */
const describe = ({ gpuUuid, pid, memory, name }: ProcessRow, sources: ProcessSources): ObservedProcess => {
  const facts = readProcess(pid, sources);
  return { gpuUuid, pid, memory, ...facts, command: facts.command ?? name };
};
