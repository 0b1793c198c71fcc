import type { Batch, ObservedGpu, ObservedGpuNotes, ObservedProcess } from '../../../core/batch.ts';
import type { Clock } from '../../../core/clock.ts';
import type { Log } from '../../../core/log.ts';
import type { Collector } from '../../../core/ports.ts';
import type { Sample } from '../../../core/sample.ts';
import type { ProcessSources } from '../../process/facts.ts';
import { gapSamples } from '../gap.ts';
import { createKnownProcesses } from '../known-processes.ts';
import { createLineChild, silenceOfTicks } from '../line-child.ts';
import { commandOf, environmentOf, explainEndOf, parseMessage } from './child-process.ts';
import { type ChildMessage, type ChildSettings, type ProcessRow, TICK_METRICS, type TickRow } from './protocol.ts';

/** What the child said first, or why it ended before that. */
export type FirstAnswer =
  | { readonly kind: 'gpus'; readonly gpus: readonly ObservedGpu[] }
  | { readonly kind: 'ended'; readonly code: number | null; readonly why: string };

export type NvmlCollector = Collector & {
  /** Starts the child if there is none, and waits for its word. */
  readonly firstAnswer: () => Promise<FirstAnswer>;
};

export type NvmlOptions = {
  /** Path of the library; null: the one that the loader finds. */
  readonly library: string | null;
  readonly intervalMs: number;
  readonly sources: ProcessSources;
  /** Why pids of the driver mean nothing here: see `whyPidsAreForeign`; null: they do. */
  readonly pidsAreForeign: string | null;
  /** Of this process; the child's is the same without what would make it another Node. */
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
};

const RETRY_WITHIN_MS = 2000;
/** What looks that never come may leave waiting. */
const MAX_WAITING_SAMPLES = 5000;

/**
 * GPU samples, processes and troubles from the driver's own library, called by a child process: a call that hangs cannot
 * be interrupted, but a process can be killed. A tick wakes the runner. `collect` returns what came since the last look,
 * after an end of the child first the gap that it leaves, and then throws why it ended.
 */
export const createNvmlCollector = (options: NvmlOptions): NvmlCollector => {
  const { library, intervalMs, sources, pidsAreForeign, clock, log } = options;
  const factsOf = createKnownProcesses(sources, clock.now);
  /** Every GPU that was ever there, and the instances that are there now. */
  const known = new Map<string, ObservedGpu>();
  const notes = new Map<string, ObservedGpuNotes>();
  let samples: Sample[] = [];
  let processes: Pick<Batch, 'processes' | 'processesUnknown'> = { processes: null };
  let gpus: readonly ObservedGpu[] | null = null;
  /** What of these was not told yet. */
  const untold = { gpus: false, notes: new Set<string>(), processes: false };
  let tickAt: number | null = null;
  let endsInGap = false;
  let wake = () => {};
  let hear: (answer: FirstAnswer) => void = () => {};
  const said = new Set<string>();

  const note = (next: ObservedGpuNotes): void => {
    notes.set(next.uuid, next);
    untold.notes.add(next.uuid);
  };

  const takeGpus = (listed: readonly ObservedGpu[]): void => {
    for (const { uuid, mig } of known.values()) if (mig) known.delete(uuid);
    for (const gpu of listed) known.set(gpu.uuid, gpu);
    gpus = listed;
    untold.gpus = true;
    hear({ kind: 'gpus', gpus: listed });
  };

  const takeTick = (rows: readonly TickRow[]): void => {
    tickAt = clock.now();
    for (const row of rows) samples.push({ subject: `gpu:${row[0]}`, at: tickAt, values: valuesOf(row) });
    if (samples.length > MAX_WAITING_SAMPLES) samples = samples.slice(-MAX_WAITING_SAMPLES);
    wake();
  };

  const takeProcesses = (rows: readonly ProcessRow[] | null, why: string): void => {
    untold.processes = true;
    if (pidsAreForeign !== null) processes = { processes: null, processesUnknown: pidsAreForeign };
    else if (rows === null) processes = { processes: null, processesUnknown: why };
    else processes = { processes: describe(rows) };
  };

  const describe = (rows: readonly ProcessRow[]): readonly ObservedProcess[] => {
    const facts = factsOf(rows.map(([, pid]) => pid));
    return rows.flatMap(([gpuUuid, pid, memory, utilization]) => {
      const known = facts.get(pid);
      return known === undefined ? [] : [{ gpuUuid, pid, memory, utilization, ...known }];
    });
  };

  const take = (message: ChildMessage): void => {
    if ('tick' in message) takeTick(message.tick);
    else if ('gpus' in message) takeGpus(message.gpus);
    else if ('notes' in message) message.notes.forEach(note);
    else takeProcesses(message.processes, message.processes === null ? message.why : '');
  };

  const markGap = (why: string): void => {
    if (tickAt === null) return;
    const at = Math.min(clock.now(), tickAt + intervalMs);
    samples.push(...gapSamples(known.keys(), TICK_METRICS, at));
    const absent = Object.fromEntries(TICK_METRICS.map((metric) => [metric, why]));
    for (const uuid of known.keys()) note({ uuid, trouble: why, absent });
    takeProcesses(null, why);
    tickAt = null;
    endsInGap = true;
    wake();
  };

  const child = createLineChild({
    name: 'the NVML sampler',
    command: () => {
      const wholes = [...known.values()].filter(({ mig }) => !mig);
      const settings: ChildSettings = { library, intervalMs, parent: process.pid, known: wholes };
      return commandOf('child', settings);
    },
    environment: environmentOf(options.environment),
    saysWhenItRuns: true,
    silenceMs: silenceOfTicks(intervalMs),
    onLine: (line) => {
      const message = parseMessage<ChildMessage>(line);
      if (message !== null) take(message);
      return message !== null;
    },
    onRemark: (text) => {
      if (!said.has(text) && said.size < 1000) log.warn({ text }, 'the NVML sampler reports a problem');
      said.add(text);
    },
    onEnd: (why, code) => {
      hear({ kind: 'ended', code, why });
      markGap(why);
    },
    explainEnd: explainEndOf('the NVML sampler'),
  });

  const takeUntold = (): Batch => {
    const came = samples;
    samples = [];
    const told = [...notes.values()].filter(({ uuid }) => untold.notes.has(uuid));
    const batch: Batch = {
      samples: came,
      ...(untold.gpus && gpus !== null ? { gpus } : {}),
      ...(told.length > 0 ? { gpuNotes: told } : {}),
      ...(untold.processes ? processes : {}),
    };
    untold.gpus = false;
    untold.processes = false;
    untold.notes.clear();
    return batch;
  };

  return {
    name: 'gpu',
    when: {
      everyMs: intervalMs,
      retryWithinMs: RETRY_WITHIN_MS,
      woken: (given) => {
        wake = given;
      },
    },
    timeoutMs: 5000,
    firstAnswer: () =>
      new Promise((resolve) => {
        hear = resolve;
        child.ensure();
      }),
    collect: async () => {
      if (endsInGap) {
        endsInGap = false;
        return { ...takeUntold(), hasMore: true };
      }
      child.ensure();
      return takeUntold();
    },
    startOver: () => {
      untold.gpus = true;
      untold.processes = true;
      for (const uuid of notes.keys()) untold.notes.add(uuid);
    },
    close: child.close,
  };
};

const UNKNOWN = Object.fromEntries(TICK_METRICS.map((metric) => [metric, null]));

const valuesOf = (row: TickRow): Sample['values'] => {
  // A copy has its keys already: adding them one by one costs more than all the rest.
  const values: Record<string, number | null> = { ...UNKNOWN };
  for (let place = 0; place < TICK_METRICS.length; place++) {
    const [metric, value] = [TICK_METRICS[place], row[place + 1]];
    if (metric !== undefined && typeof value === 'number') values[metric] = value;
  }
  return values;
};
