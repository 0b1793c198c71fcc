import { formatNumber } from '../format.ts';

const [WIDTH, HEIGHT] = [120, 32];

type Props = {
  readonly label: string;
  /** null is a gap: the line stops there and begins again. */
  readonly values: readonly (number | null)[];
  /** A variable of the style sheet. */
  readonly color: string;
};

/** The shape of a series at a glance, with its latest value. */
export const Sparkline = ({ label, values, color }: Props) => {
  const known = values.filter((value) => value !== null);
  const [latest] = known.slice(-1);
  if (latest === undefined) return null;
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const x = (i: number) => 1 + (i / Math.max(1, values.length - 1)) * (WIDTH - 2);
  const y = (value: number) => 2 + (1 - (value - min) / (max - min || 1)) * (HEIGHT - 4);
  // `h0` makes a dot of a value that stands alone.
  const path = values
    .map((value, i) =>
      value === null ? '' : `${values[i - 1] == null ? 'M' : 'L'}${x(i).toFixed(1)} ${y(value).toFixed(1)}h0`,
    )
    .join('');
  return (
    <figure class="sparkline">
      <figcaption>
        {label} <b>{formatNumber(latest)}</b>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        style={{ color: `var(${color})` }}
      >
        <path
          d={path}
          fill="none"
          stroke="currentColor"
          stroke-width="1.5"
          stroke-linecap="round"
          vector-effect="non-scaling-stroke"
        />
      </svg>
    </figure>
  );
};
