import t from 'tap';
import type { EpochRow } from '../../src/core/run.ts';
import type { RunContext } from '../../src/rules/rule.ts';
import { type Course, follow } from '../../src/rules/transitions.ts';
import { rowAt, rowsOf, run, type Told } from './rows.ts';

const stepsOf = (rows: readonly EpochRow[], context: RunContext = run) => {
  let course: Course | null = null;
  return rows.map((row) => {
    const step = follow(course, row, context);
    if (step) course = step.course;
    return step?.seen;
  });
};

t.test('the end of mosaic casts a shadow of two rows', async (t) => {
  const seen = stepsOf(rowsOf(89, 95)).map((row) => [row?.transition, row?.masked, row?.sinceTransition]);
  t.strictSame(seen, [
    [null, false, null],
    [null, false, null],
    ['close_mosaic', true, 0],
    [null, true, 1],
    [null, true, 2],
    [null, false, 3],
    [null, false, 4],
  ]);
});

t.test('without args there is no end of mosaic to know of', async (t) => {
  t.ok(stepsOf(rowsOf(89, 95), { ...run, args: null }).every((row) => row?.transition === null));
});

t.test('a learning rate that jumps up after warm-up casts a shadow of three rows, during warm-up none', async (t) => {
  const lr = (epoch: number): Told => ({ lr: epoch === 3 ? 0.006 : epoch < 3 ? 0.001 : epoch >= 20 ? 0.02 : 0.01 });
  const seen = stepsOf(rowsOf(1, 24, lr));
  t.strictSame(
    seen.flatMap((row, i) => (row?.masked ? [i + 1] : [])),
    [20, 21, 22, 23],
  );
  t.equal(seen[19]?.transition, 'lr_jump');
});

t.test('a new attempt that goes on is a resume, also when it logs its last epoch again', async (t) => {
  const seen = stepsOf([...rowsOf(1, 20), rowAt(20, { attempt: 2 }), rowAt(21, { attempt: 2 })]);
  t.match(seen.slice(20), [
    { transition: 'resume', index: 20, masked: true },
    { transition: null, index: 21 },
  ]);
});

t.test('a new attempt that begins at the first epoch is a re-run', async (t) => {
  t.match(stepsOf([...rowsOf(1, 20), rowAt(1, { attempt: 2 })]).at(-1), { transition: 'rerun', index: 1 });
  t.equal(stepsOf([rowAt(1), rowAt(1, { attempt: 2 })]).at(-1)?.transition, 'rerun');
  t.equal(stepsOf([rowAt(1, { attempt: 2 })])[0]?.transition, 'rerun');
  t.equal(stepsOf([rowAt(50, { attempt: 2 })])[0]?.transition, 'resume');
});

t.test('rows that were seen before are passed over', async (t) => {
  const again = stepsOf([...rowsOf(1, 5), ...rowsOf(3, 6)]);
  t.strictSame(
    again.slice(5).map((row) => row?.index),
    [undefined, undefined, undefined, 6],
  );
});

t.test('epochs count from one inside the rules, wherever the file begins', async (t) => {
  t.strictSame(
    stepsOf([rowAt(0), rowAt(1)], { ...run, epochBase: 0 }).map((row) => row?.index),
    [1, 2],
  );
});
