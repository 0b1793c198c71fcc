import type { ObservedGpu } from '../../../core/batch.ts';
import { TICK_METRICS, type TickMetric } from './protocol.ts';
import { CODE, isForGood, tellsOfGoneDriver, tellsOfLostGpu, wordsOf } from './return-codes.ts';

/** One GPU or MIG instance: its handle, and what the readers know of it. Made once; the readers change it in place. */
export type Device = {
  facts: ObservedGpu;
  /** null: none could be had. It stays the same until the library is initialised anew. */
  handle: bigint | null;
  /** In the order of TICK_METRICS. */
  readonly values: (number | null)[];
  /** Why the value of the same place is null, for a person. */
  readonly reasons: (string | null)[];
  /** Places that are not asked any more before the next look at what does not change: this board does not have them. */
  readonly dropped: boolean[];
  /** What ails it as a whole; null: it answers. */
  trouble: string | null;
  /** Metrics that came in this tick, and the last reason why one did not. */
  answered: number;
  refusal: string | null;
  /** A reason or the trouble is another than the parent was told. */
  hasNews: boolean;
  /** Newest entry of the driver's rings that was seen, in their own time. */
  ringSeenAt: number;
  processesSeenAt: number | null;
  /** The PCIe counters as last read, and for how long after it they cannot have wrapped unnoticed. */
  readonly pcie: { readonly rx: PcieCount; readonly tx: PcieCount; unambiguousUs: number };
  /** MIG is on. */
  isPartitioned: boolean;
};

/** `at` is the driver's time in µs; 0: never read. */
export type PcieCount = { bytes: number; at: number };

/** The driver cannot be had through the library as it is loaded. */
export class DriverGone extends Error {
  override name = 'DriverGone';
  readonly code: number;
  constructor(code: number) {
    super(wordsOf(code));
    this.code = code;
  }
}

/** A device of which nothing is known yet. */
export const createDevice = (facts: ObservedGpu, handle: bigint | null): Device => ({
  facts,
  handle,
  values: TICK_METRICS.map(() => null),
  reasons: TICK_METRICS.map(() => null),
  dropped: TICK_METRICS.map(() => false),
  trouble: null,
  answered: 0,
  refusal: null,
  hasNews: true,
  ringSeenAt: 0,
  processesSeenAt: null,
  pcie: { rx: { bytes: 0, at: 0 }, tx: { bytes: 0, at: 0 }, unambiguousUs: 0 },
  isPartitioned: false,
});

// TICK_METRICS names every metric once.
const PLACES = Object.fromEntries(TICK_METRICS.map((metric, place) => [metric, place])) as Record<TickMetric, number>;

export const valueIn = (device: Device, metric: TickMetric): number | null => device.values[PLACES[metric]] ?? null;

/** Whether it is worth asking: the board has not said that it does not have it. */
export const isAsked = (device: Device, metric: TickMetric): boolean => device.dropped[PLACES[metric]] !== true;

export const know = (device: Device, metric: TickMetric, value: number): void => {
  const place = PLACES[metric];
  device.values[place] = value;
  device.answered += 1;
  if (device.reasons[place] !== null) {
    device.reasons[place] = null;
    device.hasNews = true;
  }
};

/** The value is not known, for this reason. */
export const miss = (device: Device, metric: TickMetric, reason: string): void => {
  const place = PLACES[metric];
  device.values[place] = null;
  if (device.reasons[place] !== reason) {
    device.reasons[place] = reason;
    device.hasNews = true;
  }
};

/** A call failed that was to give these metrics. Throws {@link DriverGone} where no other call would go better. */
export const fail = (device: Device, metrics: readonly TickMetric[], code: number): void => {
  if (tellsOfGoneDriver(code)) throw new DriverGone(code);
  const words = wordsOf(code);
  for (const metric of metrics) {
    miss(device, metric, words);
    if (isForGood(code)) device.dropped[PLACES[metric]] = true;
  }
  if (tellsOfLostGpu(code)) suffer(device, words);
  else if (!isForGood(code)) device.refusal = words;
};

/** These metrics are not asked, for this reason, until `askForAll`. */
export const drop = (device: Device, metrics: readonly TickMetric[], reason: string): void => {
  for (const metric of metrics) {
    miss(device, metric, reason);
    device.dropped[PLACES[metric]] = true;
  }
};

/** The device as a whole gives nothing any more. */
export const suffer = (device: Device, trouble: string | null): void => {
  if (device.trouble === trouble) return;
  device.trouble = trouble;
  device.hasNews = true;
  if (trouble !== null) for (const metric of TICK_METRICS) miss(device, metric, trouble);
};

/** Asks again for what the board did not have: MIG or ECC may have been switched. */
export const askForAll = (device: Device): void => {
  device.dropped.fill(false);
};

/** Makes one call of a library; a function that this driver does not export answers as one that does not know it. */
export const codeOf = (code: number | undefined): number => code ?? CODE.functionNotFound;
