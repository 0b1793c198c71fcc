import type uPlot from 'uplot';
import { formatTick } from '../format.ts';
import type { Cell, ChartSeries } from './chart-series.ts';

export type PlotLook = {
  readonly xKind: 'epoch' | 'time';
  readonly series: readonly ChartSeries[];
  readonly height: number;
  readonly width: number;
  /** Text below and beside the axes. */
  readonly format: (value: Cell) => string;
  /** Smallest and largest value of the value axis; null leaves it to the data. */
  readonly yRange: readonly [number, number] | null;
  /** Divides the value axis by powers of two. */
  readonly binary: boolean;
  /** The stretch of the x axis to show, asked again at every drawing; null: what there is data for. */
  readonly xRange: () => readonly [number, number] | null;
  readonly sync: string | null;
  readonly onDraw: (plot: uPlot) => void;
  readonly onCursor: (index: number | null) => void;
  /** Whether a stretch of the x axis can be dragged over. */
  readonly canZoom: boolean;
  readonly onZoom: (stretch: readonly [number, number]) => void;
  readonly onBack: () => void;
};

/** In CSS pixels: less is a click. */
const SHORTEST_DRAG = 6;

/** Charts show each other where the pointer is, not what is dragged over: that is for one of them to say. */
const isOfPointer = (event: string): boolean => event === 'mousemove' || event === 'mouseleave';

/** Resolves a style sheet's variable: a canvas takes no variables. */
type Colors = (variable: string) => string;

/** uPlot's options for one chart. Series come as one line each, or as line, minimum and maximum for those with a band. */
export const plotOptions = (look: PlotLook, color: Colors): uPlot.Options => {
  const axis = { stroke: color('--ink-soft'), font: `11px ${color('--font')}`, ticks: { show: false } };
  const grid = { stroke: color('--grid'), width: 1 };
  return {
    width: look.width,
    height: look.height,
    ms: 1,
    pxAlign: true,
    // Room for the flags of alerts above the lines, and for half of the last label below them.
    padding: [18, 24, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: look.canZoom, y: false, setScale: false, dist: SHORTEST_DRAG },
      // uPlot's own answer is to show everything.
      bind: {
        dblclick: () => () => {
          look.onBack();
          return null;
        },
      },
      points: { size: 6 },
      ...(look.sync === null ? {} : { sync: { key: look.sync, setSeries: false, filters: { pub: isOfPointer } } }),
    },
    scales: {
      x: { time: look.xKind === 'time', range: (_, min, max) => widen(look.xRange() ?? [min, max]) },
      y: look.yRange ? { range: [look.yRange[0], look.yRange[1]] } : {},
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 26,
        space: 60,
        ...(look.xKind === 'epoch'
          ? { incrs: [1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000] }
          : {
              values: (plot: uPlot, splits: number[]) => {
                const { min = 0, max = 0 } = plot.scales.x ?? {};
                return splits.map((at) => formatTick(at, (max ?? 0) - (min ?? 0)));
              },
            }),
      },
      {
        ...axis,
        grid,
        size: (_, labels) => 14 + 6.2 * Math.max(3, ...(labels ?? []).map((label) => label.length)),
        space: 34,
        ...(look.binary ? { incrs: Array.from({ length: 45 }, (_, power) => 2 ** power) } : {}),
        values: (_, splits) => splits.map((value) => look.format(value)),
      },
    ],
    series: [{}, ...look.series.flatMap((series) => linesOf(series, color))],
    bands: bandsOf(look.series, color),
    hooks: {
      draw: [look.onDraw],
      setCursor: [(plot) => look.onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < SHORTEST_DRAG) return;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          look.onZoom([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
        },
      ],
    },
  };
};

/** The columns that belong to {@link plotOptions} of the same series. */
export const plotData = (x: readonly number[], series: readonly ChartSeries[]): uPlot.AlignedData => [
  [...x],
  ...series.flatMap(({ values, band }) => (band ? [[...values], [...band.min], [...band.max]] : [[...values]])),
];

const linesOf = (series: ChartSeries, color: Colors): uPlot.Series[] => {
  const stroke = color(series.color);
  const line: uPlot.Series = {
    stroke,
    width: series.dashed ? 1.25 : 1.75,
    ...(series.dashed ? { dash: [5, 3] } : {}),
    points: { show: false, size: 4, fill: stroke, filter: pointsToMark },
  };
  // Thin but seen: a spike of one sample is one bucket wide, and of that bucket the band alone would be a shade.
  const edge: uPlot.Series = {
    stroke: `${stroke}80`,
    width: 1,
    points: { show: false, size: 3, fill: stroke, filter: pointsAlone },
  };
  return series.band ? [line, edge, edge] : [line];
};

const bandsOf = (series: readonly ChartSeries[], color: Colors): uPlot.Band[] => {
  let next = 1;
  return series.flatMap(({ band, color: variable }) => {
    const first = next;
    next += band ? 3 : 1;
    return band ? [{ series: [first + 2, first + 1] as [number, number], fill: `${color(variable)}33` }] : [];
  });
};

/** A value between two gaps has no line to be seen by. */
const pointsAlone = (plot: uPlot, index: number): number[] => {
  const values = plot.data[index] ?? [];
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null);
};

/** Of a short series every value is marked. */
const pointsToMark = (plot: uPlot, index: number): number[] => {
  const values = plot.data[index] ?? [];
  return values.length > 12 ? pointsAlone(plot, index) : [...values.keys()].filter((i) => values[i] != null);
};

const widen = ([min, max]: readonly [number, number]): [number, number] => [min, max > min ? max : min + 1];
