import type { Scale } from './scenario.ts';

/** A rule as the benchmark scores it. Delays in rows or seconds, as its scale counts. */
export type Scored = {
  readonly rule: string;
  readonly scale: Scale;
  /** The goal of the event F1 (RULES 7, issue of the rules). */
  readonly goal: number;
  /** A delay up to which an alert is as good as at once. */
  readonly goodDelay: number;
  /** An alert this long after a label's end still belongs to it. */
  readonly after: number;
};

const ROWS = { scale: 'rows', after: 3 } as const;
const SECONDS = { scale: 'seconds', after: 60 } as const;

/** All rules that the scenarios can score, in the order of RULES. */
export const CATALOGUE: readonly Scored[] = [
  { rule: 'loss_spike', ...ROWS, goal: 0.93, goodDelay: 0 },
  { rule: 'loss_nan', ...ROWS, goal: 1, goodDelay: 0 },
  { rule: 'divergence', ...ROWS, goal: 0.99, goodDelay: 2 },
  { rule: 'map_collapse', ...ROWS, goal: 0.97, goodDelay: 0 },
  { rule: 'map_oscillation', ...ROWS, goal: 0.85, goodDelay: 14 },
  { rule: 'overfit', ...ROWS, goal: 0.85, goodDelay: 14 },
  { rule: 'lr_anomaly', ...ROWS, goal: 0.99, goodDelay: 2 },
  { rule: 'plateau', ...ROWS, goal: 0.8, goodDelay: 18 },
  { rule: 'throughput_drop', ...ROWS, goal: 0.98, goodDelay: 2 },
  // Its ratio looks back on 300 s.
  { rule: 'dataloader_stall', ...SECONDS, after: 320, goal: 0.9, goodDelay: 75 },
  { rule: 'oom_risk', ...SECONDS, goal: 0.97, goodDelay: 600 },
  { rule: 'hang', ...SECONDS, goal: 0.99, goodDelay: 100 },
  { rule: 'gpu_throttle', ...SECONDS, goal: 0.99, goodDelay: 45 },
  { rule: 'host_memory', ...SECONDS, goal: 0.99, goodDelay: 480 },
  { rule: 'disk_full', ...SECONDS, goal: 0.99, goodDelay: 480 },
  { rule: 'neighbor_gpu', ...SECONDS, goal: 0.97, goodDelay: 45 },
];
