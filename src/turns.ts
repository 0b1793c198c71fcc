import { type Clock, systemClock } from './core/clock.ts';
import type { Log } from './core/log.ts';

/** How often {@link workOff} asks whether there is work. */
const IDLE_MS = 1000;

/** Runs `work` every `ms` of this clock; the function that is returned ends it. */
export const every = (clock: Clock, ms: number, work: () => void): (() => void) => {
  let cancel = clock.after(ms, function again() {
    work();
    cancel = clock.after(ms, again);
  });
  return () => cancel();
};

/**
 * Does a little work again and again, at this share of a core, as long as `work` says that there is more, and
 * asks every second whether there is. In the machine's time: it is about its load. The returned function ends it.
 */
export const workOff = (share: number, work: () => boolean): (() => void) => {
  let cancel = systemClock.after(0, function again() {
    const startedAt = performance.now();
    const isMore = work();
    const spentMs = performance.now() - startedAt;
    cancel = systemClock.after(isMore ? spentMs * (1 / share - 1) : IDLE_MS, again);
  });
  return () => cancel();
};

/**
 * Lets a tick fail without ending the ticking; returns whether it went well. The same failure is said once, and once
 * that it is over.
 */
export const createAttempt = (log: Log) => {
  const failing = new Map<string, string>();
  return (message: string, work: () => void): boolean => {
    try {
      work();
      if (failing.delete(message)) log.info({ after: message }, 'went well again');
      return true;
    } catch (err) {
      const text = err instanceof Error ? err.message : String(err);
      if (failing.get(message) !== text) log.error({ err }, message);
      failing.set(message, text);
      return false;
    }
  };
};

/** Ends what was started last first, each even if the one before failed; the first error is thrown at the end. */
export const endInOrder = async (ends: readonly (() => unknown)[]): Promise<void> => {
  const errors: unknown[] = [];
  for (const end of [...ends].reverse()) {
    try {
      await end();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
};
