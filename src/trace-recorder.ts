import { createWriteStream } from 'node:fs';
import type { Log } from './core/log.ts';
import type { StreamEvent } from './core/ports.ts';
import type { EpochRow, Run } from './core/run.ts';
import type { RunEvent } from './core/trace.ts';

/** Writes a trace (contract, section 6) of what is collected from living runs, GPUs and the host. */
export type TraceRecorder = {
  /** Takes what the bus tells: runs for their arguments, epochs and samples. */
  readonly take: (event: StreamEvent) => void;
  /** Takes what a run said of itself. */
  readonly hear: (run: string, events: readonly RunEvent[], now: number) => void;
  /** Resolves when everything is in the file. */
  readonly close: () => Promise<void>;
};

/** A disk that cannot follow costs lines of the trace, never the service's memory. */
const MAX_WAITING_BYTES = 16 * 2 ** 20;

/**
 * Appends to the file at `path`. `t` never falls in what one service writes: what is told late, such as the rows that a
 * run had before, stands at the moment at which it came. The trace ends where the file cannot be written.
 */
export const createTraceRecorder = ({ path, log }: { readonly path: string; readonly log: Log }): TraceRecorder => {
  const file = createWriteStream(path, { flags: 'a' });
  const args = new Map<string, string>();
  let lastT = 0;
  let dropped = 0;
  let isOpen = true;
  file.on('error', (err) => {
    if (isOpen) log.error({ path, err }, 'the trace cannot be written and ends here');
    isOpen = false;
  });

  const write = (line: TraceLine) => {
    if (!isOpen) return;
    if (file.writableLength > MAX_WAITING_BYTES) {
      if (dropped === 0) log.warn({ path }, 'the disk is too slow for the trace: lines are left out');
      dropped++;
      return;
    }
    lastT = Math.max(lastT, line.t);
    file.write(`${JSON.stringify({ ...line, t: lastT })}\n`);
  };

  const writeArgs = (run: Run, at: number) => {
    if (run.args === null) return;
    const line = { kind: 'args', run: run.id, ...traceArgs(run.args) };
    const text = JSON.stringify(line);
    if (args.get(run.id) === text) return;
    args.set(run.id, text);
    write({ t: at, ...line });
  };

  return {
    take: ({ topic, data, at, run, gpu }) => {
      if (topic === 'runs') writeArgs(data as Run, at);
      else if (topic === 'epochs') write(rowLine(data as EpochRow & { run: string }, at));
      else if (topic === 'gpu' || topic === 'host') write(sampleLine(topic, data, at, gpu, run));
    },
    hear: (run, events, now) => {
      for (const event of events) write({ ...event, t: event.t ?? now, run });
    },
    close: () =>
      new Promise((resolve) => {
        if (dropped > 0) log.warn({ path, dropped }, 'the trace lacks lines');
        if (isOpen) file.end(resolve);
        else resolve();
      }),
  };
};

type TraceLine = { readonly t: number; readonly kind: string; readonly [field: string]: unknown };

const rowLine = ({ run, epoch, at, elapsedS, metrics, nonFinite }: EpochRow & { run: string }, now: number) => ({
  t: at ?? now,
  kind: 'epoch',
  run,
  epoch,
  elapsedS,
  metrics: { ...metrics, ...nonFinite },
});

/** Without what is not known, and without the names that stand in fields of their own. */
const sampleLine = (
  kind: 'gpu' | 'host',
  sample: StreamEvent['data'],
  at: number,
  gpu: number | null,
  run: string | null,
): TraceLine => {
  const known = Object.entries(sample).filter(([name, value]) => value !== null && !NAMES.has(name));
  return { t: at, kind, ...(gpu !== null && { gpu }), ...(run !== null && { run }), ...Object.fromEntries(known) };
};

const NAMES = new Set(['gpu', 'uuid', 'host', 'at', 'run']);

/** The trainer's arguments that a trace names, by the trace's names. */
const ARGS = {
  epochs: 'epochs',
  closeMosaic: 'close_mosaic',
  lr0: 'lr0',
  lrf: 'lrf',
  cosLr: 'cos_lr',
  warmupEpochs: 'warmup_epochs',
} as const;

const traceArgs = (args: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(
    Object.entries(ARGS).flatMap(([name, key]) => (args[key] === undefined ? [] : [[name, args[key]]])),
  );
