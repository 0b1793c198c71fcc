import t from 'tap';
import { RULES } from '../../src/rules/registry.ts';
import { breachesOf, rowsOf } from './rows.ts';

const onRows = RULES.filter(({ subject, needs }) => subject === 'run' && needs.includes('epochs'));

for (const rule of onRows) {
  t.test(`${rule.id} is quiet in an ordinary training`, async (t) => {
    t.ok(onRows.length >= 9);
    t.strictSame(
      Object.keys(rule.tracks).flatMap((track) => breachesOf(rule, track, rowsOf(1, 100))),
      [],
    );
  });

  t.test(`${rule.id} says that data is missing where a row says nothing, and judges no such row`, async (t) => {
    const empty = rowsOf(1, 3).map((row) => ({ ...row, metrics: {}, elapsedS: null }));
    t.strictSame(
      Object.keys(rule.tracks).flatMap((track) => breachesOf(rule, track, empty)),
      [],
    );
  });
}
