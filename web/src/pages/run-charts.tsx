import { useMemo } from 'preact/hooks';
import type { Alert } from '../../../src/core/alert.ts';
import type { EpochRow } from '../../../src/core/run.ts';
import { Chart } from '../charts/chart.tsx';
import type { ChartMark } from '../charts/chart-marks.tsx';
import type { ChartSeries } from '../charts/chart-series.ts';
import { colorOf } from '../charts/colors.ts';
import { formatNumber } from '../format.ts';
import { type ColumnGroup, columnsOf, groupColumns, nonFiniteEpochs } from '../model/run-metrics.ts';
import { runPath } from '../route.ts';
import { text } from '../text.ts';

type Props = { readonly run: string; readonly rows: readonly EpochRow[]; readonly alerts: readonly Alert[] };

/** What the trainer wrote, by epoch: losses in training and validation paired, then metrics, then learning rates. */
export const RunCharts = ({ run, rows, alerts }: Props) => {
  const charts = useMemo(() => {
    const groups = groupColumns(columnsOf(rows));
    return groups.map((group) => ({
      group,
      series: group.columns.map((column) => seriesOf(group, column, rows)),
      notNumbers: nonFiniteEpochs(rows, group.columns).map(
        ({ epoch, column, kind }): ChartMark => ({
          kind: 'value',
          key: `${column} ${epoch}`,
          from: epoch,
          label: text.nonFinite[kind],
        }),
      ),
    }));
  }, [rows]);
  const x = useMemo(() => rows.map((row) => row.epoch), [rows]);
  const alertMarks = useMemo(() => alerts.flatMap((alert) => markOf(run, alert)), [run, alerts]);

  return (
    <div class="charts">
      {charts.map(({ group, series, notNumbers }) => (
        <Chart
          key={`${group.kind} ${group.name}`}
          title={group.kind === 'lr' ? text.chart.lr : group.name}
          x={x}
          xKind="epoch"
          series={series}
          format={formatNumber}
          height={190}
          marks={[...alertMarks, ...notNumbers]}
          sync={run}
        />
      ))}
    </div>
  );
};

const seriesOf = (group: ColumnGroup, column: string, rows: readonly EpochRow[]): ChartSeries => {
  const validation = column.startsWith('val/');
  const short = column.slice(column.indexOf('/') + 1).replace(/\([A-Z]\)$/, '');
  return {
    label: group.kind === 'loss' ? (validation ? text.chart.val : text.chart.train) : short,
    color: colorOf(column),
    dashed: validation,
    values: rows.map((row) => row.metrics[column] ?? null),
  };
};

const markOf = (run: string, alert: Alert): readonly ChartMark[] =>
  alert.epochs === null
    ? []
    : [
        {
          kind: 'alert',
          key: alert.id,
          from: alert.epochs[0],
          to: alert.epochs[1],
          severity: alert.severity,
          label: text.chart.marker(alert.title),
          evidence: runPath(run, alert.id),
        },
      ];
