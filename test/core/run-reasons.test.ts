import { readFileSync } from 'node:fs';
import t from 'tap';
import { hear, NOTHING_SAID } from '../../src/core/output-facts.ts';
import { isReasonOf, RUN_REASONS } from '../../src/core/run-reasons.ts';
import { END_REASONS } from '../../src/core/trace.ts';

t.test('docs/states.md has every reason with its states and meaning, and no other', async (t) => {
  const rows = readFileSync('docs/states.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| `[a-z_0-9]+` \| `/.test(line));
  const expected = Object.entries(RUN_REASONS).map(
    ([code, { states, meaning }]) =>
      `| \`${code}\` | ${states.map((state) => `\`${state}\``).join(', ')} | ${meaning} |`,
  );
  t.same(rows, expected);
});

t.test('every end that an output can tell of has a reason that fits its state', async (t) => {
  for (const reason of END_REASONS) {
    const { ending } = hear(NOTHING_SAID, { kind: 'end', t: null, reason });
    t.ok(ending !== null && isReasonOf(ending.reason, ending.state), reason);
  }
});

t.test('a code from outside is a reason only beside a state that it explains', async (t) => {
  t.equal(isReasonOf('cuda_out_of_memory', 'failed'), true);
  t.equal(isReasonOf('cuda_out_of_memory', 'finished'), false);
  t.equal(isReasonOf('constructor', 'failed'), false);
});
