type Props = {
  readonly label: string;
  readonly value: number | null | undefined;
  readonly of: number | null | undefined;
};

/** How full something is, as a bar; an empty one when it is not known. The figure stands beside it. */
export const Meter = ({ label, value, of }: Props) => (
  <meter min={0} max={of ?? 1} value={value ?? 0} aria-label={label} />
);
