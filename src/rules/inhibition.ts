import type { Alert } from '../core/alert.ts';

/** An alert that explains others on the same subject while it fires. */
type Inhibition = {
  readonly by: (alert: Alert) => boolean;
  readonly explains: (alert: Alert) => boolean;
};

const isOneOf =
  (...rules: readonly string[]) =>
  ({ rule }: Alert): boolean =>
    rules.includes(rule);

/** Which alert explains which. */
const INHIBITIONS: readonly Inhibition[] = [
  {
    // A training loss that is NaN takes mAP down with it; a NaN of the validation loss alone (a warning) does not.
    by: ({ rule, severity }) => rule === 'loss_nan' && severity === 'critical',
    explains: isOneOf('loss_spike', 'divergence', 'map_collapse', 'map_oscillation', 'overfit', 'plateau'),
  },
  { by: isOneOf('divergence'), explains: isOneOf('loss_spike', 'map_oscillation', 'overfit') },
  { by: isOneOf('hang'), explains: isOneOf('dataloader_stall', 'throughput_drop') },
  { by: isOneOf('map_collapse'), explains: isOneOf('map_oscillation') },
  {
    // Memory that is full now makes the forecast that it will be one alert too many.
    by: ({ rule, forecastS }) => rule === 'oom_risk' && forecastS === 0,
    explains: ({ rule, forecastS }) => rule === 'oom_risk' && forecastS !== null && forecastS > 0,
  },
];

/** The id of the alert among the open ones of a subject that explains this one; null when none does. */
export const explainedBy = (alert: Alert, open: readonly Alert[]): string | null => {
  for (const { by, explains } of INHIBITIONS) {
    if (!explains(alert)) continue;
    const inhibitor = open.find((one) => one.state === 'firing' && by(one));
    if (inhibitor) return inhibitor.id;
  }
  return null;
};
