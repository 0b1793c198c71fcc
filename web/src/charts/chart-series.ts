/** A value of a line; null is a gap, across which nothing is drawn. */
export type Cell = number | null;

/** One line. `color` is a variable of the style sheet, such as `--series-0`; all columns are as long as the chart's x. */
export type ChartSeries = {
  readonly label: string;
  readonly color: string;
  readonly values: readonly Cell[];
  readonly dashed?: boolean;
  /** Smallest and largest value behind each point. */
  readonly band?: { readonly min: readonly Cell[]; readonly max: readonly Cell[] };
};

/** The last value of a line that is a number. */
export const latestOf = (values: readonly Cell[]): Cell => values.findLast((value) => value !== null) ?? null;
