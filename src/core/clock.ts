/** Stops a timer; harmless when it has already run. */
export type Cancel = () => void;

/** Time as an argument: the system's own, or a demo's fast one. All moments are milliseconds since 1970 UTC. */
export type Clock = {
  readonly now: () => number;
  /** Runs `work` once after `ms` milliseconds of this clock. Does not keep the process alive. */
  readonly after: (ms: number, work: () => void) => Cancel;
};

/** The clock of the machine. */
export const systemClock: Clock = { now: Date.now, after: (ms, work) => timer(ms, work) };

/**
 * A clock that started at `startAt` when the machine's clock said `wallStartAt`, and runs `speed` times as fast.
 * Simulators that share the three numbers share the time.
 */
export const fastClock = (startAt: number, wallStartAt: number, speed: number): Clock => ({
  now: () => Math.round(startAt + (Date.now() - wallStartAt) * speed),
  after: (ms, work) => timer(ms / speed, work),
});

const timer = (ms: number, work: () => void): Cancel => {
  const handle = setTimeout(work, ms);
  handle.unref();
  return () => clearTimeout(handle);
};
