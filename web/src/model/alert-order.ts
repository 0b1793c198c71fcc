import type { Alert, AlertState, Severity } from '../../../src/core/alert.ts';

const STATES: readonly AlertState[] = ['firing', 'pending', 'resolved'];
const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];

/** What burns first: firing before pending before resolved, the severest first, then the newest. */
export const byUrgency = (a: Alert, b: Alert): number =>
  STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
  (a.state === 'resolved' ? 0 : SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity)) ||
  b.startedAt - a.startedAt;

/** Those that a person should look at now. */
export const firing = (alerts: ReadonlyMap<string, Alert>): readonly Alert[] =>
  [...alerts.values()].filter((alert) => alert.state === 'firing' && !alert.silenced).sort(byUrgency);
