// Real result files of other people's trainings. They may not be copied, so they are read where they lie, beside the
// checkout; `npm run test:corpus` runs this where they are there.
import t from 'tap';
import { dateRows } from '../../src/collectors/results/times.ts';
import type { EpochRow } from '../../src/core/run.ts';
import { createEngine } from '../../src/rules/engine.ts';
import { RULES } from '../../src/rules/registry.ts';
import type { RunContext } from '../../src/rules/rule.ts';
import { finish } from '../rules/finish.ts';
import { argsOf, linesOf, parse } from './recordings.ts';

const ENDED_AT = 1_757_427_471_000;

const rowsOf = (file: string): readonly EpochRow[] =>
  dateRows(parse(file).rows, ENDED_AT).map(({ fileAttempt, fileAttemptKind: _, ...row }) => ({
    ...row,
    attempt: fileAttempt + 1,
    runElapsedS: row.elapsedS,
  }));

const contextOf = (file: string, rows: readonly EpochRow[]): RunContext => {
  const args = argsOf(file);
  const epochs = args?.epochs;
  return {
    id: file,
    name: file,
    epochsPlanned: typeof epochs === 'number' ? epochs : null,
    epochBase: rows[0]?.epoch === 0 ? 0 : 1,
    args,
  };
};

/** Epochs of these took clearly longer, for minutes: nothing is amiss with what was learned, and it is true. */
const SLOWER: Readonly<Record<string, readonly [number, number]>> = { '082': [18, 21], '116': [13, 19] };

t.test('a training in which a person finds nothing raises no warning but of its pace', async (t) => {
  const clean = linesOf('labels.tsv').flatMap(([file = '', , anomaly]) => (anomaly === 'clean' ? file : []));
  t.equal(clean.length, 4);
  for (const file of clean) {
    let ids = 0;
    const onError = (rule: string, subject: string, cause: unknown) => {
      throw new Error(`${rule} on ${subject}`, { cause });
    };
    const engine = createEngine({ rules: RULES, newId: () => `a${++ids}`, onError });
    const rows = rowsOf(file);
    const alerts = finish(engine.backfill(contextOf(file, rows), rows, ENDED_AT));
    t.same(
      alerts.filter(({ severity }) => severity !== 'info').map(({ rule, epochs }) => ({ rule, epochs })),
      Object.entries(SLOWER).flatMap(([number, epochs]) =>
        file.startsWith(number) ? { rule: 'throughput_drop', epochs } : [],
      ),
      file,
    );
  }
});
