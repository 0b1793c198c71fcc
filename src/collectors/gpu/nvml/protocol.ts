import type { ObservedGpu, ObservedGpuNotes } from '../../../core/batch.ts';
import type { GpuMetric } from '../../../core/metrics.ts';

/** The metrics of one row of a tick, in this order. */
export const TICK_METRICS = [
  'utilization',
  'utilizationMin',
  'utilizationMean',
  'memoryUtilization',
  'memoryUsed',
  'memoryTotal',
  'memoryReserved',
  'power',
  'powerLimit',
  'temperature',
  'memoryTemperature',
  'clockSm',
  'clockMem',
  'pcieRx',
  'pcieTx',
  'throttle',
  'fan',
  'energy',
  'pcieReplays',
  'eccErrors',
  'eccCorrected',
  'rowRemapPending',
  'rowRemapFailed',
] as const satisfies readonly GpuMetric[];

export type TickMetric = (typeof TICK_METRICS)[number];

/** A GPU by its UUID, then its values in the order of {@link TICK_METRICS}. */
export type TickRow = readonly [uuid: string, ...values: (number | null)[]];

/** A process on a GPU: memory in bytes, its share of the GPU's time in %. */
export type ProcessRow = readonly [uuid: string, pid: number, memory: number | null, utilization: number | null];

/**
 * What the child writes to its stdout, each as one line of JSON. `gpus` are those that answer, told at the start and
 * when they change; notes are told when they change. Words for a person go to stderr: remarks, and last of all why it
 * ends.
 */
export type ChildMessage =
  | { readonly gpus: readonly ObservedGpu[] }
  | { readonly tick: readonly TickRow[] }
  | { readonly notes: readonly ObservedGpuNotes[] }
  | { readonly processes: readonly ProcessRow[] }
  | { readonly processes: null; readonly why: string };

/** The child's only argument, as JSON. */
export type ChildSettings = {
  /** null: the one that the loader finds. */
  readonly library: string | null;
  readonly intervalMs: number;
  /** Who started it: it ends when that process is not its parent any more. */
  readonly parent: number;
  /** GPUs that were there before: one that is missing now is not forgotten. */
  readonly known: readonly ObservedGpu[];
};

/** The driver reported an error of this GPU; of an instance of it, too. */
export type XidMessage = { readonly xid: number; readonly uuid: string };

/** What the child that waits for events writes, in the same manner; `waits` after each wait in vain. */
export type EventsMessage = XidMessage | { readonly waits: true };

/** Its only argument, as JSON. */
export type EventsSettings = Pick<ChildSettings, 'library' | 'parent'>;

/** Longest that it waits for an event before it says that it lives. */
export const WAIT_MS = 5000;

/** The exit codes of both. */
export const EXIT = {
  /** Nobody reads what it writes. */
  unread: 0,
  /** koffi, the library or what is wanted of it is missing: no use to try again. */
  unavailable: 3,
  /** The driver is there and does not answer. */
  failing: 4,
  /** The driver answers and has no GPU. */
  noGpu: 5,
} as const;
