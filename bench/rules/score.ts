import type { Raised } from './detectors/raised.ts';
import type { Label } from './scenario.ts';

/** One alert and the label that it found. */
export type Match = { readonly raised: Raised; readonly label: Label; readonly delay: number };

/** How the alerts of one rule on one run stand to its labels (RULES 7). */
export type RunScore = {
  /** First alerts of a required label, in time. */
  readonly found: readonly Match[];
  /** Required labels whose first alert came after the deadline: missed, but no false alert. */
  readonly late: readonly Match[];
  readonly missed: readonly Label[];
  /** Further alerts on a label that has one: each is a false alert, flapping costs. */
  readonly repeated: number;
  readonly false: number;
};

/**
 * Matches alerts with labels, both of one rule: an alert belongs to a required label from its start until `after` its
 * end, or its deadline if that is later. What lies in an optional label (or just before it) counts for nothing.
 */
export const scoreRun = (raised: readonly Raised[], labels: readonly Label[], after: number): RunScore => {
  const required = labels.filter((label) => label.required);
  const optional = labels.filter((label) => !label.required);
  const firsts = new Map<Label, Match>();
  let repeated = 0;
  let wrong = 0;
  for (const alert of [...raised].sort((a, b) => a.at - b.at)) {
    const { at } = alert;
    const label = required.find(({ start, end, deadline }) => start <= at && at <= Math.max(end + after, deadline));
    if (label) {
      if (firsts.has(label)) repeated++;
      else firsts.set(label, { raised: alert, label, delay: at - label.start });
    } else if (!optional.some(({ start, end }) => start - 1 <= at && at <= end + after)) wrong++;
  }
  const matches = [...firsts.values()];
  return {
    found: matches.filter(({ raised: { at }, label }) => at <= label.deadline),
    late: matches.filter(({ raised: { at }, label }) => at > label.deadline),
    missed: required.filter((label) => !firsts.has(label)),
    repeated,
    false: wrong,
  };
};

/** What an alert in time is worth: 1 up to `goodDelay`, falling to a quarter at the deadline. */
export const timeliness = ({ delay, label }: Match, goodDelay: number): number => {
  const allowed = label.deadline - label.start;
  if (delay <= goodDelay || allowed <= goodDelay) return 1;
  return 1 - (0.75 * (delay - goodDelay)) / (allowed - goodDelay);
};
