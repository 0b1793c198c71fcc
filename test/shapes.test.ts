import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { EpochRow } from '../src/core/run.ts';
import { ODD_SHAPES } from './fixtures/results/odd-shapes.ts';
import { SHAPES } from './fixtures/results/shapes.ts';
import { lookOnce } from './one-look.ts';

const ALL = { ...SHAPES, ...ODD_SHAPES };
const WRITTEN_AT = Date.UTC(2025, 8, 9);
const DAY_MS = 86_400_000;

/** The epochs in file order, a slash where another attempt begins. */
const epochsOf = (rows: readonly EpochRow[]): string =>
  rows
    .map(({ epoch, attempt }, index) => {
      const before = rows[index - 1];
      return `${before === undefined ? '' : before.attempt === attempt ? ' ' : '/'}${epoch}`;
    })
    .join('');

t.test('every shape of result file is a run of its kind, with its rows, its attempts and its end', async (t) => {
  const folders = Object.values(ALL).map(({ text, file = 'results.csv', beside }, index) => [
    `exp${index}`,
    { ...beside, [file]: text },
  ]);
  const root = t.testdir(Object.fromEntries(folders));
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    utimesSync(join(root, path), WRITTEN_AT / 1000, WRITTEN_AT / 1000);
  }
  const seen = await lookOnce(
    folders.map(([name]) => join(root, String(name))),
    WRITTEN_AT + 30 * DAY_MS,
  );
  for (const [index, [name, shape]] of Object.entries(ALL).entries()) {
    const { run, rows } = seen[index] ?? {};
    t.same(
      {
        rows: epochsOf(rows ?? []),
        keptOut: run?.rowsKeptOut,
        attempts: run?.attempts,
        kind: `${run?.framework} ${run?.task} from ${run?.epochBase}`,
        ends: `${run?.state} ${run?.stateReason}`,
      },
      {
        rows: shape.rows,
        keptOut: shape.keptOut,
        attempts: shape.rows.split('/').length,
        kind: shape.kind,
        ends: shape.ends,
      },
      name,
    );
  }
});
