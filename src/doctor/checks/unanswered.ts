import { type Check, check } from '../check.ts';
import type { Probed } from '../probe.ts';
import { msInWords } from '../wording.ts';

type Unanswered = Exclude<Probed<unknown>, { kind: 'answered' }>;
/** What could not be looked at. */
export type Subject = Pick<Check, 'id' | 'group' | 'title'> & {
  /** Whose answer it was, such as "the disk". */
  readonly whose: string;
  /** What to do when it hangs. */
  readonly fix: readonly string[];
};

/** The check in place of those that cannot be made, because the look itself hung or crashed. */
export const judgeUnanswered = ({ whose, fix, ...subject }: Subject, outcome: Unanswered): Check => {
  const during = outcome.doing === null ? '' : ` while ${outcome.doing}`;
  if (outcome.kind === 'died') {
    const says = `this could not be looked at${during}: ${outcome.why}`;
    return check(subject, { status: 'unknown', says, facts: { ...outcome } });
  }
  const end = outcome.isStuck
    ? 'not even SIGKILL ends the process that waits for it'
    : 'the process that asked was killed';
  const says = `${whose} did not answer within ${msInWords(outcome.afterMs)}${during}; ${end}`;
  return check(subject, { status: 'problem', says, facts: { ...outcome }, fix });
};

/** The checks of what was found, or the one that says why there is none. */
export const judgeProbed = <T>(
  subject: Subject,
  outcome: Probed<T>,
  judge: (value: T) => readonly Check[],
): readonly Check[] => (outcome.kind === 'answered' ? judge(outcome.value) : [judgeUnanswered(subject, outcome)]);
