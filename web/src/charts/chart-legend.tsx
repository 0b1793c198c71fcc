import { formatMoment, formatNumber } from '../format.ts';
import { text } from '../text.ts';
import { type ChartSeries, latestOf } from './chart-series.ts';

type Props = {
  readonly x: readonly number[];
  readonly xKind: 'epoch' | 'time';
  readonly series: readonly ChartSeries[];
  /** The place under the pointer; null: the latest value of each line. */
  readonly index: number | null;
  readonly format: (value: number | null) => string;
};

/** Names the lines, with the value of each under the pointer or the latest. */
export const ChartLegend = ({ x, xKind, series, index, format }: Props) => {
  const at = index === null ? undefined : x[index];
  return (
    <span class={series.length > 1 ? 'chart-legend several' : 'chart-legend'} aria-hidden="true">
      {at !== undefined && (
        <span class="chart-at">
          {xKind === 'epoch' ? `${text.chart.epoch} ${formatNumber(at)}` : formatMoment(at, x.at(-1))}
        </span>
      )}
      {series.map(({ label, color, dashed, values }) => (
        <span key={label} class="chart-key">
          <svg
            class="swatch"
            width="16"
            height="8"
            viewBox="0 0 16 8"
            style={{ color: `var(${color})` }}
            aria-hidden="true"
          >
            <line
              x1="0"
              y1="4"
              x2="16"
              y2="4"
              stroke="currentColor"
              stroke-width="2.5"
              stroke-dasharray={dashed ? '5 3' : '0'}
            />
          </svg>
          {series.length > 1 && <span>{label}</span>}
          <b>{format(at === undefined ? latestOf(values) : (values[index ?? 0] ?? null))}</b>
        </span>
      ))}
    </span>
  );
};
