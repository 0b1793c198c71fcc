import t from 'tap';
import type { Raised } from '../../../bench/rules/detectors/raised.ts';
import type { Label } from '../../../bench/rules/scenario.ts';
import { scoreRun, timeliness } from '../../../bench/rules/score.ts';
import { scorecardOf, wilson } from '../../../bench/rules/scorecard.ts';

const fault: Label = { rule: 'hang', start: 100, end: 200, deadline: 160, required: true };
const aside: Label = { ...fault, start: 400, end: 450, deadline: 450, required: false };
const at = (...positions: number[]): Raised[] =>
  positions.map((position) => ({ rule: 'hang', at: position, cause: null, leftS: null }));
const counts = (raised: readonly Raised[], labels: readonly Label[] = [fault, aside], after = 60) => {
  const { found, late, missed, repeated, false: wrong } = scoreRun(raised, labels, after);
  return { found: found.map(({ delay }) => delay), late: late.length, missed: missed.length, repeated, wrong };
};

t.test('an alert from the start of a fault until its deadline finds it, with its delay', async (t) => {
  t.match(counts(at(100)), { found: [0], missed: 0, wrong: 0 });
  t.match(counts(at(160)), { found: [60], late: 0, wrong: 0 });
});

t.test('an alert before the fault is false, however near, and the fault is missed', async (t) => {
  t.match(counts(at(99)), { found: [], missed: 1, wrong: 1 });
});

t.test('a first alert after the deadline misses the fault but is not false', async (t) => {
  t.match(counts(at(161)), { found: [], late: 1, wrong: 0 });
  t.match(counts(at(260)), { late: 1, wrong: 0 });
  t.match(counts(at(261)), { late: 0, missed: 1, wrong: 1 });
});

t.test('a deadline beyond the end of a fault is waited for', async (t) => {
  t.match(counts(at(300), [{ ...fault, deadline: 300 }]), { found: [200], wrong: 0 });
});

t.test('each further alert on the same fault is a false one', async (t) => {
  t.match(counts(at(150, 110, 170)), { found: [10], repeated: 2, wrong: 0 });
  t.match(counts(at(170, 180)), { found: [], late: 1, repeated: 1 });
});

t.test('what lies in an optional label counts for nothing', async (t) => {
  t.match(counts(at(399, 420, 510)), { found: [], missed: 1, repeated: 0, wrong: 0 });
  t.match(counts(at(398, 511)), { wrong: 2 });
});

t.test('without alerts everything is missed and nothing is false', async (t) => {
  t.strictSame(counts([]), { found: [], late: 0, missed: 1, repeated: 0, wrong: 0 });
});

t.test('an alert in time is worth less the later it comes, down to a quarter at the deadline', async (t) => {
  const worth = (position: number) => {
    const [match] = scoreRun(at(position), [fault], 60).found;
    return match && timeliness(match, 20);
  };
  t.equal(worth(100), 1);
  t.equal(worth(120), 1);
  t.equal(worth(140), 0.625);
  t.equal(worth(160), 0.25);
});

t.test('precision, recall and F1 count repeated alerts as false and late ones as missed', async (t) => {
  const runs = [at(110), at(110, 120), at(190), at(20), []].map((raised) => scoreRun(raised, [fault], 60));
  const card = scorecardOf(runs, 10);
  t.match(card, { events: 5, precision: 0.5, recall: 0.4, late: 1, repeated: 1, delayP50: 10, delayP90: 10 });
  t.equal(card.f1.toFixed(4), '0.4444');
  t.equal(card.timelyF1.toFixed(4), '0.4444');
});

t.test('a rule that never fires has no precision and an F1 of 0', async (t) => {
  t.match(scorecardOf([scoreRun([], [fault], 60)], 10), {
    events: 1,
    precision: null,
    recall: 0,
    f1: 0,
    delayP50: null,
  });
});

t.test('causes are compared where a fault has one', async (t) => {
  const labels: Label[] = [{ ...fault, cause: 'idle' }];
  const named = (cause: string | null) => scoreRun([{ rule: 'hang', at: 110, cause, leftS: null }], labels, 60);
  t.equal(scorecardOf([named('idle'), named('spin'), named(null), named('idle')], 10).causeAccuracy, 0.5);
  t.equal(scorecardOf([scoreRun(at(110), [fault], 60)], 10).causeAccuracy, null);
});

t.test('a forecast is held against the time that was really left', async (t) => {
  const labels: Label[] = [{ ...fault, end: 1100, deadline: 1100, emptyAt: 1100 }];
  const told = (position: number, leftS: number) =>
    scoreRun([{ rule: 'hang', at: position, cause: null, leftS }], labels, 60);
  // 800 s left, said 1000; 400 s left, said 300: 25 % each, and only the first in the first half.
  const card = scorecardOf([told(300, 1000), told(700, 300)], 10);
  t.equal(card.leftError, 0.25);
  t.equal(card.lead, 0.5);
});

t.test('recall is told for each grade of a fault that occurs again', async (t) => {
  const run = (grade: number, ...positions: number[]) => scoreRun(at(...positions), [{ ...fault, grade }], 60);
  t.strictSame(scorecardOf([run(10, 110), run(6), run(6, 120), run(10, 105), run(7, 100)], 10).byGrade, [
    { grade: 6, events: 2, found: 1 },
    { grade: 10, events: 2, found: 2 },
  ]);
});

t.test("Wilson's interval never leaves 0 to 1 and narrows with more runs", async (t) => {
  t.strictSame(
    wilson(10, 10)?.map((bound) => bound.toFixed(3)),
    ['0.722', '1.000'],
  );
  t.strictSame(
    wilson(50, 100)?.map((bound) => bound.toFixed(3)),
    ['0.404', '0.596'],
  );
  t.equal(wilson(0, 0), null);
});
