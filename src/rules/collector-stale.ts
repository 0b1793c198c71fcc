import { collectorCause, collectorFix, saysAbsent } from './collector-cause.ts';
import { type CollectorInput, defineRule, type ParameterValues, type Verdict } from './rule.ts';
import { duration, significant } from './wording.ts';

const PARAMETERS = {
  periods: {
    default: 5,
    minimum: 2,
    maximum: 100,
    unit: 'periods',
    description: 'A collector is stale when it has not succeeded for as many of its own periods,',
  },
  leastS: {
    default: 30,
    minimum: 5,
    maximum: 3600,
    unit: 's',
    description: 'and for at least this long.',
  },
  firstS: {
    default: 60,
    minimum: 5,
    maximum: 3600,
    unit: 's',
    description: 'Until its first success it has at least this long: drivers take up to half a minute to wake.',
  },
  longestGapS: {
    default: 15,
    minimum: 2,
    maximum: 300,
    unit: 's',
    description: 'When it was not told for longer how the collectors do, the machine slept: that time does not count.',
  },
} as const;

/**
 * A part of the service itself sees nothing any more (RULES, engine): its figures stand still, and rules that need them
 * are blind. The time is that in which it was looked whether it succeeds, not the clock's, so that a machine that slept,
 * or whose clock was set, raises nothing. What was never there, such as a GPU, is not missed.
 */
export const collectorStale = defineRule({
  id: 'collector_stale',
  title: 'Collector stale',
  description: 'A collector of the service has not succeeded for a while: what it watches is not seen any more.',
  severity: ['warning'],
  subject: 'host',
  needs: ['collectors'],
  parameters: PARAMETERS,
  tracks: { stale: { hold: { evaluations: 1 }, keepFiring: { evaluations: 1 } } },
  init: (): State => ({ toldAt: null, successAt: null, waitedMs: 0 }),
  step: (state, input: CollectorInput, parameters) => {
    const wasAwake = follow(state, input, 1000 * parameters.longestGapS);
    return [state, { stale: wasAwake ? judge(state, input, parameters) : ASLEEP }];
  },
});

type State = {
  toldAt: number | null;
  /** Its last success as it was told last. */
  successAt: number | null;
  /** How long it was seen without a new success. */
  waitedMs: number;
};

const ASLEEP: Verdict = { kind: 'no-data', missing: ['how the collectors did while the machine slept'] };

/** Takes in what was told; false after a time in which nothing was. */
const follow = (state: State, { at, collector }: CollectorInput, longestGapMs: number): boolean => {
  const gapMs = state.toldAt === null ? 0 : at - state.toldAt;
  const wasAwake = gapMs >= 0 && gapMs <= longestGapMs;
  if (collector.lastSuccessAt !== state.successAt) state.waitedMs = 0;
  else if (wasAwake) state.waitedMs += gapMs;
  state.toldAt = at;
  state.successAt = collector.lastSuccessAt;
  return wasAwake;
};

const judge = (
  { waitedMs }: State,
  { collector }: CollectorInput,
  parameters: ParameterValues<typeof PARAMETERS>,
): Verdict => {
  const { name, everyMs, lastSuccessAt, error, failures } = collector;
  const isNew = lastSuccessAt === null;
  if (isNew && error !== null && saysAbsent(error))
    return { kind: 'clear', result: `${name}: there is nothing to see` };
  const limitMs = Math.max(1000 * (isNew ? parameters.firstS : parameters.leastS), parameters.periods * everyMs);
  if (waitedMs < limitMs) {
    if (isNew && error === null) return { kind: 'no-data', missing: [`the first look of ${name}`] };
    return error === null ? { kind: 'clear', result: `${name} succeeds again` } : { kind: 'between' };
  }
  const said = error === null ? 'its look has not ended' : `its last error: ${quote(error)}`;
  return {
    kind: 'breach',
    severity: 'warning',
    title: `Collector ${name} is stale`,
    problem: `The collector ${name} has ${isNew ? 'never succeeded' : 'not succeeded'} for ${duration(waitedMs)}, ${said}.`,
    evidence: [
      {
        name: isNew ? 'without a first success' : 'since its last success',
        value: Math.round(waitedMs / 1000),
        unit: 's',
        expected: `at most ${significant(everyMs / 1000)}`,
      },
      { name: 'error', value: error === null ? null : quote(error), unit: '' },
      { name: 'failures in a row', value: failures, unit: '', expected: 0 },
    ],
    cause: collectorCause(error),
    fix: collectorFix(name, error),
  };
};

const MOST_CHARACTERS = 300;

/** An error comes from outside, and may be of any length. */
const quote = (error: string): string =>
  error.length <= MOST_CHARACTERS ? `"${error}"` : `"${error.slice(0, MOST_CHARACTERS)}…"`;
