import type { Simulated } from './frames.ts';

/**
 * The service's time, carried on by the browser's monotonic clock between two words of the service.
 * A demo's clock runs faster than the browser's, and a phone's may be wrong: nothing here asks Date.now().
 */
export type ServerClock = {
  /** Milliseconds since 1970 UTC; null before the service has said it for the first time. */
  readonly now: () => number | null;
  /** Sets the time to what the service says. */
  readonly set: (serverAt: number, simulated: Simulated) => void;
  /** Hears a moment that the service has reached: never turns the clock back, replayed events are old. */
  readonly reached: (at: number) => void;
};

/** `elapsed` is the browser's monotonic clock in milliseconds, such as performance.now. */
export const createServerClock = (elapsed: () => number): ServerClock => {
  let known: { readonly at: number; readonly elapsed: number; readonly speed: number } | null = null;
  const now = () => known && Math.round(known.at + (elapsed() - known.elapsed) * known.speed);
  return {
    now,
    set: (serverAt, simulated) => {
      known = { at: serverAt, elapsed: elapsed(), speed: simulated?.speed ?? 1 };
    },
    reached: (at) => {
      if (known && at > (now() ?? 0)) known = { ...known, at, elapsed: elapsed() };
    },
  };
};
