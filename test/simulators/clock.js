/**
 * The time that all simulators share: it was `startAt` when the machine's clock said `wallStartAt`, and runs `speed`
 * times as fast. The same three numbers as `fastClock` in src/core/clock.ts. Where a test moves the time by hand, that is
 * `steppedMs`; with speed 0 nothing else does. Plain JavaScript: runs on any Node ≥ 18.
 *
 * @typedef {{ startAt: number, wallStartAt: number, speed: number, steppedMs?: number }} ClockNumbers
 */

/** @param {ClockNumbers} numbers */
export const createClock = ({ startAt, wallStartAt, speed, steppedMs = 0 }) => ({
  now: () => Math.round(startAt + steppedMs + (Date.now() - wallStartAt) * speed),
  /**
   * Runs `work` once after `ms` of this clock; returns what ends it. Does not keep the process alive.
   * @param {number} ms
   * @param {() => void} work
   */
  after: (ms, work) => {
    const handle = setTimeout(work, ms / speed);
    handle.unref();
    return () => clearTimeout(handle);
  },
  /**
   * Resolves when the clock says `at`, at once when it has passed.
   * @param {number} at
   */
  until: (at) =>
    /** @type {Promise<void>} */ (
      new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, (at - startAt - steppedMs) / speed - (Date.now() - wallStartAt))),
      )
    ),
});
