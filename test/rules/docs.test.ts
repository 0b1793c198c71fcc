import { readFileSync } from 'node:fs';
import t from 'tap';
import { rulesDocument } from '../../scripts/rules-doc.ts';
import { describeRule } from '../../src/rules/describe.ts';
import { RULES } from '../../src/rules/registry.ts';

t.test('docs/rules.md says what the code says (node scripts/rules-doc.ts writes it)', async (t) => {
  t.equal(readFileSync('docs/rules.md', 'utf8'), rulesDocument(RULES.map(describeRule)));
});

t.test('every default lies within its bounds, and every rule has a name of its own', async (t) => {
  const outside = RULES.flatMap((rule) =>
    Object.entries(rule.parameters)
      .filter(([, { default: value, minimum, maximum }]) => value < minimum || value > maximum)
      .map(([name]) => `${rule.id} ${name}`),
  );
  t.strictSame(outside, []);
  t.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length);
});
