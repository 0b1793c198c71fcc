import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { useTheme } from '../context.ts';
import { ChartLegend } from './chart-legend.tsx';
import { type ChartMark, ChartMarks, type PlotArea } from './chart-marks.tsx';
import type { Cell, ChartSeries } from './chart-series.ts';
import { ChartSummary } from './chart-summary.tsx';
import { plotData, plotOptions } from './plot-options.ts';

export type ChartProps = {
  readonly title: string;
  /** Epochs, or moments in milliseconds; rising. */
  readonly x: readonly number[];
  readonly xKind: 'epoch' | 'time';
  readonly series: readonly ChartSeries[];
  readonly format: (value: Cell) => string;
  /** Height of the drawing in CSS pixels. */
  readonly height: number;
  readonly yRange?: readonly [number, number] | null;
  readonly xRange?: readonly [number, number] | null;
  /** The value axis is divided as bytes are: 8 GiB, 16 GiB. */
  readonly binary?: boolean;
  readonly marks?: readonly ChartMark[];
  /** Charts with the same word show the same place under the pointer. */
  readonly sync?: string;
  /** Called with the stretch of the x axis that was dragged over; without it nothing can be. */
  readonly onZoom?: (stretch: readonly [number, number]) => void;
  /** Called on a double click. */
  readonly onBack?: () => void;
};

/** A line chart with its legend, its marks and, for those who cannot see it, a table with the figures that matter. */
export const Chart = (props: ChartProps) => {
  const {
    title,
    x,
    xKind,
    series,
    format,
    height,
    yRange = null,
    xRange = null,
    binary = false,
    marks = [],
    sync = null,
    onZoom,
    onBack,
  } = props;
  const theme = useTheme();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef({ xRange, format, onZoom, onBack });
  newest.current = { xRange, format, onZoom, onBack };
  const [area, setArea] = useState<PlotArea | null>(null);
  const [index, setIndex] = useState<number | null>(null);

  const canZoom = onZoom !== undefined;
  // Another set of lines, another theme or another axis needs another plot; new values do not.
  const shape = JSON.stringify([
    series.map(({ label, color, dashed, band }) => [label, color, dashed, !!band]),
    yRange,
  ]);
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const styles = getComputedStyle(element);
    const made = new uPlot(
      plotOptions(
        {
          xKind,
          series,
          height,
          width: Math.max(1, element.clientWidth),
          format: (value) => newest.current.format(value),
          yRange,
          binary,
          xRange: () => newest.current.xRange,
          sync,
          onDraw: (drawn) => setArea((before) => areaOf(drawn, before)),
          onCursor: setIndex,
          canZoom,
          onZoom: (stretch) => newest.current.onZoom?.(stretch),
          onBack: () => newest.current.onBack?.(),
        },
        (variable) => styles.getPropertyValue(variable).trim(),
      ),
      plotData(x, series),
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, theme, xKind, height, sync, canZoom]);

  useEffect(() => plot.current?.setData(plotData(x, series)), [x, series, xRange?.[0], xRange?.[1]]);

  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <ChartLegend x={x} xKind={xKind} series={series} index={index} format={format} />
      </figcaption>
      <div class="chart-plot" style={{ height: `${height}px` }}>
        <div ref={holder} aria-hidden="true" />
        {area && <ChartMarks marks={marks} area={area} />}
      </div>
      <ChartSummary title={title} series={series} format={format} />
    </figure>
  );
};

const areaOf = (plot: uPlot, before: PlotArea | null): PlotArea => {
  const ratio = uPlot.pxRatio;
  const { left, top, width, height } = plot.bbox;
  const area: PlotArea = {
    left: left / ratio,
    top: top / ratio,
    width: width / ratio,
    height: height / ratio,
    min: plot.scales.x?.min ?? 0,
    max: plot.scales.x?.max ?? 1,
  };
  return before && JSON.stringify(before) === JSON.stringify(area) ? before : area;
};
