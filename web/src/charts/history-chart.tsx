import type { GPU_METRICS, HOST_METRICS } from '../../../src/core/metrics.ts';
import type { History } from '../model/history.ts';
import type { Window } from '../model/time-range.ts';
import type { TimeRangeChoice } from '../state/use-time-range.ts';
import { Chart } from './chart.tsx';
import type { ChartMark } from './chart-marks.tsx';
import { colorOf } from './colors.ts';

type Props = {
  readonly title: string;
  readonly history: History;
  readonly lines: readonly {
    readonly metric: keyof typeof GPU_METRICS | keyof typeof HOST_METRICS;
    readonly label: string;
  }[];
  readonly format: (value: number | null) => string;
  /** What the time axis shows, in milliseconds. */
  readonly span: Window;
  /** Where dragging and a double click lead. */
  readonly choice: TimeRangeChoice;
  readonly yRange?: readonly [number, number] | null;
  readonly sync: string;
  readonly marks?: readonly ChartMark[];
  /** Steps of the value axis for bytes. */
  readonly binary?: boolean;
};

const NO_MARKS: readonly ChartMark[] = [];

/** Sampled metrics over time: the mean of every bucket as a line, its smallest and largest value as a band. */
export const HistoryChart = ({
  title,
  history,
  lines,
  format,
  span,
  choice,
  yRange = null,
  sync,
  marks = NO_MARKS,
  binary = false,
}: Props) => (
  <Chart
    title={title}
    x={history.t}
    xKind="time"
    series={lines.flatMap(({ metric, label }) => {
      const columns = history.metrics[metric];
      return columns
        ? [{ label, color: colorOf(metric), values: columns.avg, band: { min: columns.min, max: columns.max } }]
        : [];
    })}
    format={format}
    height={130}
    yRange={yRange}
    xRange={span}
    sync={sync}
    marks={marks}
    binary={binary}
    onZoom={choice.zoom}
    onBack={choice.back}
  />
);
