import { type Cancel, systemClock } from '../../core/clock.ts';

/** How long something may take that begins and ends again and again, in the machine's time. */
export type TimeLimit = {
  /** Calls `late` once unless `end` is called in time. */
  readonly begin: (late: () => void) => void;
  readonly end: () => void;
  readonly close: () => void;
};

/**
 * One timer runs on from beginning to beginning and sees, when it fires, what is under way: to set one each time would
 * cost more than what most collectors do.
 */
export const createTimeLimit = (limitMs: number): TimeLimit => {
  let underWay: { readonly endsAt: number; readonly late: () => void } | null = null;
  let cancel: Cancel | null = null;

  const wait = (ms: number): void => {
    cancel = systemClock.after(ms, check);
  };
  const check = (): void => {
    cancel = null;
    if (underWay === null) return;
    const leftMs = underWay.endsAt - performance.now();
    if (leftMs > 0) {
      wait(Math.ceil(leftMs));
      return;
    }
    const { late } = underWay;
    underWay = null;
    late();
  };

  return {
    begin: (late) => {
      underWay = { endsAt: performance.now() + limitMs, late };
      if (cancel === null) wait(limitMs);
    },
    end: () => {
      underWay = null;
    },
    close: () => {
      underWay = null;
      cancel?.();
    },
  };
};
