import type { Alert, Severity } from '../core/alert.ts';

/** A firing alert of one rule, of at least this severity, that explains alerts of others on the same subject. */
type Inhibition = { readonly by: string; readonly severity: Severity; readonly explains: readonly string[] };

/**
 * Which rule explains which. A training loss that is NaN takes mAP down with it; a NaN of the validation loss alone
 * (a warning) explains nothing.
 */
const INHIBITIONS: readonly Inhibition[] = [
  { by: 'loss_nan', severity: 'critical', explains: ['loss_spike', 'map_oscillation'] },
];

/** The id of the alert among the open ones of a subject that explains this one; null when none does. */
export const explainedBy = (alert: Alert, open: readonly Alert[]): string | null => {
  for (const { by, severity, explains } of INHIBITIONS) {
    if (!explains.includes(alert.rule)) continue;
    const inhibitor = open.find((one) => one.rule === by && one.state === 'firing' && one.severity === severity);
    if (inhibitor) return inhibitor.id;
  }
  return null;
};
