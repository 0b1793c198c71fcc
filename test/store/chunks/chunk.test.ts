import t from 'tap';
import { DamagedChunk } from '../../../src/store/chunks/bytes.ts';
import { encodeChunk, openChunk } from '../../../src/store/chunks/chunk.ts';
import { createChance } from '../chance.ts';
import { createSeries } from './series.ts';

const T0 = 1_757_427_471_000;
/** A second apart, with the jitter of a timer. */
const moments = (rows: number, chance: () => number) =>
  Float64Array.from({ length: rows }, (_, i) => T0 + i * 1000 + Math.floor(chance() * 5));

const isSame = (a: Float64Array, b: Float64Array | null) =>
  b !== null && a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

t.test('every value is read back bit by bit, whatever the series', async (t) => {
  const chance = createChance(11);
  const series = createSeries(chance);
  for (const [name, valueAt] of Object.entries(series)) {
    for (const rows of [1, 2, 3, 60, 777, 3600]) {
      const at = moments(rows, chance);
      const values = Float64Array.from({ length: rows }, (_, i) => valueAt(i));
      const chunk = openChunk(encodeChunk({ at, columns: new Map([['values', values]]) }));
      t.ok(isSame(at, chunk.at()), `${name}: ${rows} moments`);
      const isUnknown = values.every((value) => Number.isNaN(value));
      const read = chunk.column('values');
      t.ok(isUnknown ? read === null : isSame(values, read), `${name}: ${rows} values`);
    }
  }
});

t.test('random mixtures of all series, with gaps, are read back bit by bit', async (t) => {
  const chance = createChance(12);
  const kinds = Object.values(createSeries(chance));
  let different = 0;
  for (let round = 0; round < 300; round++) {
    const rows = 1 + Math.floor(chance() * 200);
    const values = new Float64Array(rows);
    let kind = kinds[0];
    for (let i = 0; i < rows; i++) {
      if (chance() < 0.1) kind = kinds[Math.floor(chance() * kinds.length)];
      values[i] = chance() < 0.05 || kind === undefined ? Number.NaN : kind(i);
    }
    values[0] = round;
    const read = openChunk(encodeChunk({ at: moments(rows, chance), columns: new Map([['values', values]]) }));
    if (!isSame(values, read.column('values'))) different++;
  }
  t.equal(different, 0);
});

t.test('moments of a clock that stepped, of 10 Hz and of fractions of a ms are kept', async (t) => {
  const chance = createChance(13);
  for (const stepMs of [100, 1000, 10_000, 0.25]) {
    let now = T0;
    const at = Float64Array.from({ length: 36_000 }, () => {
      now += chance() < 0.001 ? 1_800_000 : stepMs;
      return now;
    });
    t.ok(isSame(at, openChunk(encodeChunk({ at, columns: new Map() })).at()), `every ${stepMs} ms`);
  }
});

t.test('one column is read without the others, and one that knows nothing is left out', async (t) => {
  const at = Float64Array.of(T0, T0 + 1000, T0 + 2000);
  const columns = new Map([
    ['power', Float64Array.of(232.75, Number.NaN, 228.4)],
    ['fan', new Float64Array(3).fill(Number.NaN)],
    ['utilization', Float64Array.of(95, 92, 91)],
  ]);
  const stored = encodeChunk({ at, columns });
  t.same(stored.names, ['power', 'utilization']);
  const chunk = openChunk(stored);
  t.equal(chunk.rows, 3);
  t.same(chunk.column('utilization'), columns.get('utilization'));
  t.same(chunk.column('power'), columns.get('power'));
  t.equal(chunk.column('fan'), null);
  // The last column alone is damaged: the others are read all the same.
  const damaged = Uint8Array.from(stored.body);
  damaged[damaged.length - 1] = 255;
  const other = openChunk({ names: stored.names, body: damaged });
  t.same(other.column('power'), columns.get('power'));
  t.throws(() => other.column('utilization'), DamagedChunk);
});

t.test('what is no history is refused: moments that do not rise, columns of another length', async (t) => {
  const encode = (at: readonly number[], values: readonly number[]) =>
    encodeChunk({ at: Float64Array.from(at), columns: new Map([['power', Float64Array.from(values)]]) });
  t.throws(() => encode([2, 1], [1, 1]), { name: 'RangeError', message: 'moments do not rise from 2 to 1' });
  t.throws(() => encode([1, 1], [1, 1]), { name: 'RangeError' });
  t.throws(() => encode([1, Number.NaN], [1, 1]), { name: 'RangeError', message: 'moments hold NaN' });
  t.throws(() => encode([1, 2], [1]), { name: 'RangeError', message: 'power has 1 values at 2 moments' });
});

t.test('damaged bytes are said to be damaged, or read as other values; they end nothing else', async (t) => {
  const chance = createChance(14);
  const at = moments(600, chance);
  const columns = new Map(
    Object.entries(createSeries(chance)).map(([name, valueAt]) => [name, Float64Array.from(at, (_, i) => valueAt(i))]),
  );
  const { names, body } = encodeChunk({ at, columns });
  const read = (bytes: Uint8Array): string => {
    try {
      const chunk = openChunk({ names, body: bytes });
      chunk.at();
      for (const name of names) chunk.column(name);
      return 'read';
    } catch (error) {
      return error instanceof DamagedChunk ? 'damaged' : String(error);
    }
  };
  t.equal(read(body), 'read');
  const shorter = new Set(Array.from({ length: Math.ceil(body.length / 64) }, (_, i) => read(body.slice(0, 64 * i))));
  t.same([...shorter], ['damaged'], 'ended at every 64th byte');
  const outcomes = new Set<string>();
  for (let i = 0; i < 400; i++) {
    const bytes = Uint8Array.from(body);
    bytes[Math.floor(chance() * (i < 200 ? 200 : bytes.length))] = Math.floor(chance() * 256);
    outcomes.add(read(bytes));
    outcomes.add(read(Uint8Array.from({ length: Math.floor(chance() * 300) }, () => Math.floor(chance() * 256))));
  }
  t.same([...outcomes].sort(), ['damaged', 'read']);
});
