import type { Alert } from '../../../src/core/alert.ts';
import { type CollectorState, isRunCollector } from '../../../src/core/collector-health.ts';
import type { Readiness } from '../../../src/core/service.ts';

/** The rule that says which part of the service sees nothing any more. */
export const STALE_RULE = 'collector_stale';

/** Whether the service itself needs a person: a look that fails now and then does not. */
export const isDegraded = (readiness: Readiness | null, alerts: ReadonlyMap<string, Alert>): boolean =>
  readiness?.ready === false || [...alerts.values()].some((one) => one.rule === STALE_RULE && one.state === 'firing');

/** How a collector is shown: a sign beside the word, and a tone. */
export const COLLECTOR_LOOKS = {
  works: { sign: '✓', tone: 'good' },
  waiting: { sign: '◌', tone: 'go' },
  silent: { sign: '‖', tone: 'warn' },
  failing: { sign: '!', tone: 'warn' },
} as const;

/** Silent from where the rule would call it stale: its look has begun, and neither ends nor fails. */
export const collectorLook = ({ error, ageMs, everyMs }: CollectorState): keyof typeof COLLECTOR_LOOKS => {
  if (error !== null) return 'failing';
  if (ageMs === null) return 'waiting';
  return ageMs > Math.max(5 * everyMs, 30_000) ? 'silent' : 'works';
};

/** The service's own collectors, and those of run folders: there may be thousands of them. */
export const splitCollectors = (
  collectors: readonly CollectorState[],
): { readonly own: readonly CollectorState[]; readonly runs: readonly CollectorState[] } => {
  const { own = [], runs = [] } = Object.groupBy(collectors, ({ name }) => (isRunCollector(name) ? 'runs' : 'own'));
  return { own, runs };
};
