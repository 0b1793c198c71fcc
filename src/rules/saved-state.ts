import type { Alert } from '../core/alert.ts';
import type { RuleState } from '../core/ports.ts';
import { type Life, pause } from './lifecycle.ts';
import type { Seat } from './seat.ts';
import type { Course } from './transitions.ts';

/** The name under which the course of a run is saved among the states of its rules. */
export const COURSE = 'transitions';

/** A seat as it is saved. The state is the live one, not a copy: write it before the next input. */
export const saveSeat = (seat: Seat, subject: string): RuleState => ({
  rule: seat.rule.id,
  subject,
  seenAt: seat.seenAt,
  state: { reducer: seat.state, lives: seat.lives },
});

/**
 * Puts a saved state into a fresh seat, with the open alerts as the store has them now (they may have been acknowledged).
 * Throws when the state does not fit the rule as it is today: it was written by another version.
 */
export const restoreSeat = (seat: Seat, saved: RuleState, openAlerts: ReadonlyMap<string, Alert>): void => {
  const { reducer, lives } = readSaved(saved.state);
  const missing = keys(seat.state).find((key) => !keys(reducer).includes(key));
  if (missing !== undefined) throw new Error(`saved state of ${saved.rule}: expected "${missing}", it has none`);
  for (const track of Object.keys(seat.lives)) {
    if (!isLife(lives[track])) throw new Error(`saved state of ${saved.rule}: expected a life of track "${track}"`);
  }
  seat.state = reducer;
  seat.lives = Object.fromEntries(
    Object.keys(seat.lives).map((track) => {
      // isLife has looked at each of them above.
      const life = lives[track] as Life;
      return [track, pause({ ...life, open: (life.open && openAlerts.get(life.open.id)) ?? null })];
    }),
  );
  seat.seenAt = saved.seenAt;
  seat.savedAt = saved.seenAt;
};

/** The course of a run as saved. Throws when it does not fit. */
export const readCourse = (state: unknown): Course => {
  if (!keys(state).includes('sinceTransition')) throw new Error('saved course of a run: expected "sinceTransition"');
  // The key that was added last is there, so this version wrote it.
  return state as Course;
};

/** Gives an open alert that lost its state back to its rule: to the first track that has none. False: there is none. */
export const adopt = (seat: Seat, alert: Alert): boolean => {
  const [free] = Object.entries(seat.lives).find(([, life]) => life.open === null) ?? [];
  const life = free === undefined ? undefined : seat.lives[free];
  if (free === undefined || !life) return false;
  seat.lives = { ...seat.lives, [free]: { ...life, open: alert } };
  return true;
};

const readSaved = (state: unknown): { reducer: unknown; lives: Record<string, unknown> } => {
  if (!keys(state).includes('reducer') || !keys(state).includes('lives')) {
    throw new Error('saved state of a rule: expected "reducer" and "lives"');
  }
  // A foreign value: it comes from the database, as JSON; both keys are there.
  return state as { reducer: unknown; lives: Record<string, unknown> };
};

const isLife = (value: unknown): boolean => ['open', 'last', 'streak'].every((key) => keys(value).includes(key));

const keys = (value: unknown): readonly string[] =>
  typeof value === 'object' && value !== null ? Object.keys(value) : [];
