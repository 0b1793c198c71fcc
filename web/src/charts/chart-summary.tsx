import { text } from '../text.ts';
import { type ChartSeries, latestOf } from './chart-series.ts';

type Props = {
  readonly title: string;
  readonly series: readonly ChartSeries[];
  readonly format: (value: number | null) => string;
};

/** What a chart says, for those who do not see it. (Hidden by a box around it: a table would not shrink to nothing.) */
export const ChartSummary = ({ title, series, format }: Props) => (
  <div class="visually-hidden">
    <table>
      <caption>{text.chart.summary(title)}</caption>
      <thead>
        <tr>
          <th scope="col">{text.chart.series}</th>
          <th scope="col">{text.chart.latest}</th>
          <th scope="col">{text.chart.min}</th>
          <th scope="col">{text.chart.max}</th>
        </tr>
      </thead>
      <tbody>
        {series.map(({ label, values, band }) => (
          <tr key={label}>
            <th scope="row">{label}</th>
            <td>{format(latestOf(values))}</td>
            <td>{format(extreme(band?.min ?? values, Math.min))}</td>
            <td>{format(extreme(band?.max ?? values, Math.max))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const extreme = (values: readonly (number | null)[], pick: (a: number, b: number) => number): number | null =>
  values.reduce<number | null>(
    (found, value) => (value === null ? found : found === null ? value : pick(found, value)),
    null,
  );
