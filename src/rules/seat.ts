import type { Alert } from '../core/alert.ts';
import { type Advance, advance, type Life, type Setting, UNBORN } from './lifecycle.ts';
import type { AnyRule, Input, Parameters, ParameterValues, Span } from './rule.ts';

/** One rule on one subject: the reducer's state and the lives of its tracks. */
export type Seat = {
  readonly rule: AnyRule;
  readonly parameters: ParameterValues<Parameters>;
  state: unknown;
  lives: Readonly<Record<string, Life>>;
  /** The moment of the newest input that is in the state. */
  seenAt: number;
  /** When it was last handed out to be saved. */
  savedAt: number;
  /** Whether something that may not be lost came since. */
  dirty: boolean;
};

/** A seat that has seen nothing. */
export const createSeat = (rule: AnyRule, parameters: ParameterValues<Parameters>, now: number): Seat => ({
  rule,
  parameters,
  state: rule.init(),
  lives: Object.fromEntries(Object.keys(rule.tracks).map((track) => [track, UNBORN])),
  seenAt: now,
  savedAt: now,
  dirty: false,
});

/** Gives the rule one input and returns the alerts that changed. Throws what the rule throws, with the lives as before. */
export const judge = (seat: Seat, input: Input, regroup: Span, newId: () => string): readonly Alert[] => {
  const [state, verdicts] = seat.rule.step(seat.state, input, seat.parameters);
  seat.state = state;
  seat.seenAt = Math.max(seat.seenAt, input.at);
  const about = { at: input.at, regroup, rule: seat.rule.id, ...aboutOf(input), newId };
  return changeLives(seat, (name, life) => {
    const verdict = verdicts[name];
    const track = seat.rule.tracks[name];
    if (!verdict || !track) return null;
    return advance(life, verdict, { ...about, track } satisfies Setting);
  });
};

/** What an alert that follows from this input is about. */
export const aboutOf = (input: Input): Pick<Alert, 'subject' | 'run' | 'gpu'> => {
  switch (input.kind) {
    case 'epoch':
    case 'tick':
      return { subject: `run:${input.run.id}`, run: input.run.id, gpu: null };
    case 'host':
    case 'collector':
      return { subject: `host:${input.name}`, run: null, gpu: null };
    case 'gpu':
      return { subject: input.gpu, run: input.run?.id ?? null, gpu: input.gpu };
  }
};

/** Takes each life of a seat further (null: leaves it) and returns the alerts that changed. */
export const changeLives = (seat: Seat, change: (track: string, life: Life) => Advance | null): readonly Alert[] => {
  const changed: Alert[] = [];
  const lives: Record<string, Life> = { ...seat.lives };
  for (const [track, life] of Object.entries(seat.lives)) {
    const step = change(track, life);
    if (!step) continue;
    lives[track] = step.life;
    if (step.changed) changed.push(step.changed);
  }
  seat.lives = lives;
  if (changed.length > 0) seat.dirty = true;
  return changed;
};

/** The alerts of a seat that are pending or firing. */
export const openAlerts = (seat: Seat): readonly Alert[] =>
  Object.values(seat.lives).flatMap(({ open }) => (open ? [open] : []));
