import { DAY_MS, GPUS, HOUR_MS, METRICS, type Metric, type Stretch, TICK_MS } from './history-data.ts';

export type Aggregate = 'avg' | 'min' | 'max' | 'p95';

/** One question to a history, in words that each system translates into its own. */
export type Question = {
  readonly name: string;
  readonly what: string;
  readonly gpus: readonly number[];
  readonly metrics: readonly Metric[];
  /** `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  /** Width of a bucket, ms; without aggregates that of a tick: the samples themselves are wanted. */
  readonly stepMs: number;
  readonly aggregates: readonly Aggregate[];
};

const MINUTE_MS = 60_000;
const DAYS = 30;
const LONG_GPU = 0;
const LONG_METRIC: Metric = 'utilization';
/** Always the same day, whenever the bench runs. */
const DAY_AT = Date.UTC(2025, 8, 9);
const all = Array.from({ length: GPUS }, (_, gpu) => gpu);
const day = { from: DAY_AT, to: DAY_AT + DAY_MS };
const month = { from: DAY_AT - (DAYS - 1) * DAY_MS, to: DAY_AT + DAY_MS };
const incident = { from: DAY_AT + 10 * HOUR_MS + 7 * MINUTE_MS, to: DAY_AT + 10 * HOUR_MS + 22 * MINUTE_MS };

/** The day of the data set: all GPUs. */
export const DAY: readonly Stretch[] = all.map((gpu) => ({ gpu, metrics: METRICS, ...day }));
/** The 29 days before it, of the one series that is asked for so far back: no system reads others to answer that. */
export const BEFORE: Stretch = { gpu: LONG_GPU, metrics: [LONG_METRIC], from: month.from, to: DAY_AT };

export const QUESTIONS: readonly Question[] = [
  {
    name: 'q1',
    what: 'utilization by the minute, avg, min, max and p95, 24 h of 8 GPUs',
    ...{ gpus: all, metrics: ['utilization'], ...day, stepMs: MINUTE_MS, aggregates: ['avg', 'min', 'max', 'p95'] },
  },
  {
    name: 'q2',
    what: 'the samples of 15 min, 4 metrics of one GPU',
    gpus: [LONG_GPU],
    metrics: ['utilization', 'memoryUsed', 'power', 'temperature'],
    ...{ ...incident, stepMs: TICK_MS, aggregates: [] },
  },
  {
    name: 'q3',
    what: '24 h of power for a chart of at most 1000 points: 720 of 2 min, min and max',
    ...{ gpus: [1], metrics: ['power'], ...day, stepMs: 2 * MINUTE_MS, aggregates: ['min', 'max'] },
  },
  {
    name: 'q3_90s',
    what: 'the same as 960 points of 90 s, which no rollup fits',
    ...{ gpus: [1], metrics: ['power'], ...day, stepMs: 90_000, aggregates: ['min', 'max'] },
  },
  {
    name: 'q4',
    what: 'utilization by the hour, avg, min and max, 30 days of one GPU',
    ...{ gpus: [LONG_GPU], metrics: [LONG_METRIC], ...month, stepMs: HOUR_MS, aggregates: ['avg', 'min', 'max'] },
  },
];

/** About as much as can be asked for at once: 8640 points of each metric, from samples alone. */
export const LARGEST: Question = {
  name: 'largest',
  what: 'all 16 metrics in steps of 10 s, avg, min, max and p95, 24 h of one GPU',
  ...{ gpus: [2], metrics: METRICS, ...day, stepMs: 10_000, aggregates: ['avg', 'min', 'max', 'p95'] },
};
