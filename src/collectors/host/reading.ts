import type { HostDetail } from '../../core/host-detail.ts';
import type { HostMetric } from '../../core/metrics.ts';

/** A metric's value, or in words why there is none: null never goes without its reason. */
export type Reading = number | string;

/** What one look at the whole host found. */
export type HostLook = {
  readonly readings: Readonly<Record<HostMetric, Reading>>;
  readonly detail: Omit<HostDetail, 'at' | 'host' | 'absent'>;
};

/** One decimal, inside 0 to 100: iowait may count backwards (proc(5)), and a look is never exactly on the tick. */
export const percent = (share: number): number => Math.min(100, Math.max(0, Math.round(share * 1000) / 10));

/** Why a rate is not known, by whether there was a look before. */
export const whyNoRate = (before: unknown): string =>
  before === null || before === undefined ? 'a rate needs two looks' : 'its counter began anew';

/** The number, or null where there is only a reason. */
export const numberOf = (reading: Reading): number | null => (typeof reading === 'number' ? reading : null);

/** True at first and then once every `everyMs` of the moments that it is given, also when the clock was set back. */
export const createPace = (everyMs: number): ((at: number) => boolean) => {
  let last = Number.NEGATIVE_INFINITY;
  return (at) => {
    if (Math.abs(at - last) < everyMs) return false;
    last = at;
    return true;
  };
};
