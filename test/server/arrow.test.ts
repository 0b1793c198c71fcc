import { type Table, tableFromIPC } from 'apache-arrow';
import t from 'tap';
import { formatArrow } from '../../src/server/arrow.ts';
import { T0 } from '../store/open-store.ts';

/** The values of each column as whoever opens the stream sees them. */
const columnsOf = (table: Table) =>
  Object.fromEntries(table.schema.fields.map(({ name }) => [name, [...(table.getChild(name) ?? [])]]));

t.test('a gap is a null of Arrow, a moment a timestamp in UTC, a count a whole number', async (t) => {
  const bytes = await formatArrow(
    [T0, T0 + 1000, T0 + 2000],
    [
      { name: 'power.avg', isCount: false, values: [310.5, null, 0] },
      { name: 'power.count', isCount: true, values: [12, 0, 1] },
      { name: 'loss.火 "x".max', isCount: false, values: [null, null, null] },
    ],
  );
  const table = tableFromIPC(bytes);
  t.same(columnsOf(table), {
    t: [T0, T0 + 1000, T0 + 2000],
    'power.avg': [310.5, null, 0],
    'power.count': [12, 0, 1],
    'loss.火 "x".max': [null, null, null],
  });
  t.equal(String(table.schema.fields[0]?.type), 'Timestamp<MILLISECOND, UTC>');
  t.equal(table.getChild('power.avg')?.nullCount, 1);
});

t.test('no bucket at all is a table without rows', async (t) => {
  const table = tableFromIPC(await formatArrow([], [{ name: 'cpu.avg', isCount: false, values: [] }]));
  t.equal(table.numRows, 0);
  t.same(
    table.schema.fields.map(({ name }) => name),
    ['t', 'cpu.avg'],
  );
});
