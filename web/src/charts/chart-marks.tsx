import type { Severity } from '../../../src/core/alert.ts';
import { Link } from '../parts/link.tsx';

/** Where the lines are drawn, in CSS pixels inside the chart, and the stretch of the x axis that is seen. */
export type PlotArea = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly min: number;
  readonly max: number;
};

/** Something on the x axis: an alert with its stretch, which leads to its evidence, or a value that is no number. */
export type ChartMark =
  | {
      readonly kind: 'alert';
      readonly key: string;
      readonly from: number;
      readonly to: number;
      readonly severity: Severity;
      readonly label: string;
      /** Address of the evidence, relative to the base. */
      readonly evidence: string;
    }
  | { readonly kind: 'value'; readonly key: string; readonly from: number; readonly label: string };

/** Draws marks over the plot: as elements, so that they can be reached by keyboard and named. */
export const ChartMarks = ({ marks, area }: { readonly marks: readonly ChartMark[]; readonly area: PlotArea }) => {
  const share = (x: number) => `${Math.min(1, Math.max(0, (x - area.min) / (area.max - area.min || 1))) * 100}%`;
  const width = (from: number, to: number) => `${(Math.max(0, to - from) / (area.max - area.min || 1)) * 100}%`;
  const seen = marks.filter(
    (mark) => (mark.kind === 'alert' ? mark.to : mark.from) >= area.min && mark.from <= area.max,
  );
  return (
    <div
      class="chart-marks"
      style={{ left: `${area.left}px`, top: `${area.top}px`, width: `${area.width}px`, height: `${area.height}px` }}
    >
      {seen.map((mark, i) =>
        mark.kind === 'value' ? (
          <span key={mark.key} class="mark-value" style={{ left: share(mark.from) }}>
            {mark.label}
          </span>
        ) : (
          <div key={mark.key} class={`mark-alert severity-${mark.severity}`}>
            <div class="mark-span" style={{ left: share(mark.from), width: width(mark.from, mark.to) }} />
            <Link
              to={mark.evidence}
              class="mark-flag"
              label={mark.label}
              style={{ left: share(mark.from), marginLeft: `${levelOf(seen, i) * 15 - 6}px` }}
            >
              !
            </Link>
          </div>
        ),
      )}
    </div>
  );
};

/** Flags that begin at the same place stand beside each other. */
const levelOf = (marks: readonly ChartMark[], index: number): number =>
  marks.slice(0, index).filter((mark) => mark.kind === 'alert' && mark.from === marks[index]?.from).length;
