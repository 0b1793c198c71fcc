import type { Alert } from '../core/alert.ts';
import { tellsOnlyOfDrop } from './stall-report.ts';

/** An alert that explains others while it fires: of the same subject, or, when it is of a GPU, of the run that uses it. */
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
  {
    // Nothing goes on without it; where several runs on, the others wait for it.
    by: isOneOf('gpu_lost'),
    explains: isOneOf('hang', 'dataloader_stall', 'throughput_drop', 'straggler_gpu'),
  },
  {
    // XID 79: fallen off the bus. It says more than that the GPU is silent, which follows from it.
    by: ({ cause }) => cause?.code === 'xid_79',
    explains: isOneOf('gpu_lost', 'hang', 'dataloader_stall', 'throughput_drop'),
  },
  {
    // A slower GPU works less, but it does not stand still: pauses have another cause.
    by: isOneOf('gpu_throttle'),
    explains: ({ rule, evidence }) =>
      rule === 'throughput_drop' ||
      rule === 'straggler_gpu' ||
      (rule === 'dataloader_stall' && tellsOnlyOfDrop(evidence)),
  },
  { by: isOneOf('hang'), explains: isOneOf('dataloader_stall', 'throughput_drop') },
  { by: isOneOf('map_collapse'), explains: isOneOf('map_oscillation') },
  {
    // Memory that is full now makes the forecast that it will be one alert too many.
    by: ({ rule, forecastS }) => rule === 'oom_risk' && forecastS === 0,
    explains: ({ rule, forecastS }) => rule === 'oom_risk' && forecastS !== null && forecastS > 0,
  },
];

/** The id of the alert among these open ones that explains this one; null when none does. */
export const explainedBy = (alert: Alert, open: readonly Alert[]): string | null => {
  for (const { by, explains } of INHIBITIONS) {
    if (!explains(alert)) continue;
    const inhibitor = open.find((one) => one.state === 'firing' && by(one));
    if (inhibitor) return inhibitor.id;
  }
  return null;
};
