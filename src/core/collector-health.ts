/** How a collector is doing, for `/readyz`, its series, the rules and the dashboard. */
export type CollectorHealth = {
  readonly name: string;
  /** How often it is to look, ms. */
  readonly everyMs: number;
  readonly lastSuccessAt: number | null;
  readonly lastErrorAt: number | null;
  /** The error that it is in now, null when the last look went well. */
  readonly error: string | null;
  /** In a row. */
  readonly failures: number;
  /** Time that the last look took, of the machine's clock; null: none has ended yet. */
  readonly durationMs: number | null;
  /** Looks that failed or whose time passed while another one was under way, since the start. */
  readonly misses: number;
  /** It would take hints of changes but gets none: it looks by the clock alone. */
  readonly polling: boolean;
};

/** How a collector is doing at this moment, as clients see it. */
export type CollectorState = CollectorHealth & {
  /** Since its last success; null: there was none yet. At most `everyMs` and a look's time while all is well. */
  readonly ageMs: number | null;
};

/** See {@link CollectorState}. */
export const collectorStateOf = (health: CollectorHealth, now: number): CollectorState => ({
  ...health,
  ageMs: health.lastSuccessAt === null ? null : Math.max(0, now - health.lastSuccessAt),
});

/** The name under which the collectors of all run folders are told of together. */
export const RUN_COLLECTORS = 'runs';
/** The name of the collector that tells of the others. */
export const HEALTH_COLLECTOR = 'collectors';

/** Whether a collector of this name looks at one run folder (`run PATH`): there may be thousands of them. */
export const isRunCollector = (name: string): boolean => name.startsWith('run ');

/** Whether there are series of `collector:NAME`: not for each run folder, and none about the collector that writes them. */
export const hasCollectorSeries = (name: string): boolean => !isRunCollector(name) && name !== HEALTH_COLLECTOR;
