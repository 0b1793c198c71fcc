import t from 'tap';
import type { GpuRow } from '../../../src/collectors/gpu/csv.ts';
import { createGpuRounds } from '../../../src/collectors/gpu/rounds.ts';

const row = (index: number, count: number | null): GpuRow => ({
  index,
  count,
  gpu: { uuid: `GPU-${index}`, index, name: null, driver: null, memoryTotal: null, powerLimit: null },
  values: {},
  reasons: {},
});

const play = (lines: readonly (readonly [index: number, now: number])[], count: number | null) => {
  const rounds = createGpuRounds();
  return lines.flatMap(([index, now]) =>
    rounds.add(row(index, count), now).map((round) => [round.at, round.rows.map((each) => each.index).join('')]),
  );
};

t.test('all GPUs of a tick share one moment and come at once', async (t) => {
  t.same(
    play(
      [
        [0, 10],
        [1, 11],
        [2, 12],
        [0, 20],
        [1, 21],
        [2, 22],
      ],
      3,
    ),
    [
      [10, '012'],
      [20, '012'],
    ],
  );
});

t.test('a GPU that the driver counts but no longer prints delays one round, no more', async (t) => {
  t.same(
    play(
      [
        [0, 10],
        [2, 11],
        [0, 20],
        [2, 21],
        [0, 30],
        [2, 31],
      ],
      3,
    ),
    [
      [10, '02'],
      [20, '02'],
      [30, '02'],
    ],
  );
});

t.test('a GPU that comes back is not dropped', async (t) => {
  t.same(
    play(
      [
        [0, 10],
        [0, 20],
        [1, 21],
        [0, 30],
        [1, 31],
      ],
      1,
    ),
    [
      [10, '0'],
      [20, '0'],
      [20, '1'],
      [30, '01'],
    ],
  );
});
