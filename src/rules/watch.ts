import type { Alert } from '../core/alert.ts';
import { explainedBy } from './inhibition.ts';
import type { Life } from './lifecycle.ts';
import { resolveNow } from './lifecycle.ts';
import type { AnyRule, Input, Parameters, ParameterValues, Span } from './rule.ts';
import { aboutOf, changeLives, createSeat, judge, openAlerts, type Seat } from './seat.ts';
import type { Course } from './transitions.ts';

/** All rules on one run, on one GPU, on one host, or on one collector of a host. */
export type Watch = {
  readonly seats: Map<string, Seat>;
  course: Course | null;
  courseDirty: boolean;
  /** Open alerts of rules that there are no more: they resolve with the run, on a host at once. */
  readonly strays: Alert[];
  /** Rules that have thrown on this subject: each is reported once. */
  readonly reported: Set<string>;
};

/** What judging needs to know beside the watch itself. */
export type Court = {
  readonly newId: () => string;
  readonly onError: (rule: string, subject: string, error: unknown) => void;
};

/** A rule with the values in force of its parameters. */
export type ArmedRule = { readonly rule: AnyRule; readonly parameters: ParameterValues<Parameters> };

export const createWatch = (): Watch => ({
  seats: new Map(),
  course: null,
  courseDirty: false,
  strays: [],
  reported: new Set(),
});

/**
 * Gives one input to these rules; a rule that throws begins anew and does not stop the others. `elsewhere`: the open
 * alerts of other subjects that may explain those of this one.
 */
export const judgeAll = (
  watch: Watch,
  rules: readonly ArmedRule[],
  input: Input,
  regroup: Span,
  { newId, onError }: Court,
  elsewhere: () => readonly Alert[] = () => [],
): readonly Alert[] => {
  const changed: Alert[] = [];
  for (const { rule, parameters } of rules) {
    const seat = watch.seats.get(rule.id) ?? createSeat(rule, parameters, input.at);
    watch.seats.set(rule.id, seat);
    // A rule that lives on ticks has a large state: it is not written with every row.
    if (input.kind === 'epoch' && rule.needs.includes('epochs')) seat.dirty = true;
    try {
      changed.push(...judge(seat, input, regroup, newId));
    } catch (error) {
      seat.state = rule.init();
      if (!watch.reported.has(rule.id)) onError(rule.id, aboutOf(input).subject, error);
      watch.reported.add(rule.id);
    }
  }
  return changed.length === 0 ? changed : [...changed, ...inhibit(watch, elsewhere())];
};

/** Resolves every open alert of the subject and forgets what the rules knew of it. */
export const dismiss = (watch: Watch, at: number, result: string): readonly Alert[] => {
  const changed = [...watch.seats.values()].flatMap((seat) =>
    changeLives(seat, (_track, life) => resolveNow(life, at, result)),
  );
  watch.seats.clear();
  return [...changed, ...dismissStrays(watch, at, result)];
};

/** Resolves the open alerts that no rule looks after. */
export const dismissStrays = (watch: Watch, at: number, result: string): readonly Alert[] =>
  watch.strays.splice(0).map((alert): Alert => ({ ...alert, state: 'resolved', resolvedAt: at, result }));

/** The alerts of the subject that are pending or firing and have a rule that looks after them. */
export const openAlertsOf = (watch: Watch): readonly Alert[] => [...watch.seats.values()].flatMap(openAlerts);

/** Points open alerts at the one that explains them, of this subject or of those `elsewhere`, or frees them again. */
export const inhibit = (watch: Watch, elsewhere: readonly Alert[]): readonly Alert[] => {
  const seats = [...watch.seats.values()];
  const open = [...openAlertsOf(watch), ...elsewhere];
  return seats.flatMap((seat) => changeLives(seat, (_track, life) => explain(life, open)));
};

const explain = (life: Life, open: readonly Alert[]) => {
  if (!life.open) return null;
  const inhibitedBy = explainedBy(life.open, open);
  if (inhibitedBy === life.open.inhibitedBy) return null;
  const changed = { ...life.open, inhibitedBy };
  return { life: { ...life, open: changed }, changed };
};
