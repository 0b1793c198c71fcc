import Database from 'better-sqlite3';

/** A value as it is stored; integers as bigint, so that each is written back as what it was. */
export type Stored = bigint | number | string | Buffer | null;

/** A table to be read: the columns of its key in order (`rowid` where it has no other), and those that are wanted. */
export type DamagedTable = {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
};

/** A stretch of keys between these two, exclusive; null: from the first, to the last. */
type Gap = { readonly after: readonly Stored[] | null; readonly before: readonly Stored[] | null };

/** Reads that may fail in one table: each costs about a millisecond. */
const MOST_FAILURES = 1000;

/**
 * Hands out every row that can be read, in the order of `columns`; some twice. Where a page is damaged it goes on from
 * the other end, and then again and again from the middle of what is still missing (where keys are numbers), or at the
 * other runs in `runs` (where they begin with one). Returns whether nothing was in the way.
 */
export const readDamaged = (
  db: Database.Database,
  table: DamagedTable,
  runs: readonly string[],
  onRow: (row: readonly Stored[]) => void,
): boolean => {
  const gaps: Gap[] = [{ after: null, before: null }];
  let failures = 0;
  for (let gap = gaps.shift(); gap !== undefined && failures < MOST_FAILURES; gap = gaps.shift()) {
    const up = readTo(db, table, { ...gap, direction: 'ASC' }, onRow);
    if (up.isWhole) continue;
    const after = up.last ?? gap.after;
    const down = readTo(db, table, { after, before: gap.before, direction: 'DESC' }, onRow);
    failures += 2;
    const before = down.last ?? gap.before;
    if (!down.isWhole) gaps.push(...halvesOf({ after, before }));
    if (failures === 2 && table.key[0] === 'run') gaps.push(...runs.map((run) => gapOfRun(table, run)));
    gaps.sort((a, b) => widthOf(b) - widthOf(a));
  }
  return failures === 0;
};

/** Reads on until the end or a fault; `last` is the key of the last row that was read. */
const readTo = (
  db: Database.Database,
  { name, key, columns }: DamagedTable,
  { after, before, direction }: Gap & { direction: 'ASC' | 'DESC' },
  onRow: (row: readonly Stored[]) => void,
): { readonly isWhole: boolean; readonly last: readonly Stored[] | null } => {
  let last: readonly Stored[] | null = null;
  const bound = (side: '>' | '<', values: readonly Stored[] | null) =>
    values === null ? [] : [`(${key.slice(0, values.length)}) ${side} (${values.map(() => '?')})`];
  const conditions = [...bound('>', after), ...bound('<', before)];
  const order = key.map((column) => `${column} ${direction}`);
  try {
    const rows = db
      .prepare<Stored[], Stored[]>(
        `SELECT ${[...key, ...columns]} FROM ${name}
         ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`} ORDER BY ${order}`,
      )
      .safeIntegers()
      .raw()
      .iterate(...(after ?? []), ...(before ?? []));
    for (const row of rows) {
      last = row.slice(0, key.length);
      onRow(row.slice(key.length));
    }
    return { isWhole: true, last };
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { isWhole: false, last };
  }
};

/** Whether SQLite found the file, or the disk beneath it, damaged. */
export const isDamage = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB|IOERR_READ|IOERR_SHORT_READ)/.test(error.code);

/** No number in a key is larger: milliseconds until the year 2109, rows. */
const KEY_RANGE = 2n ** 42n;

const halvesOf = ({ after, before }: Gap): readonly Gap[] => {
  const from = after === null ? 0n : after[0];
  const to = before === null ? KEY_RANGE : before[0];
  if (typeof from !== 'bigint' || typeof to !== 'bigint' || to - from < 2n) return [];
  const middle = [(from + to) / 2n];
  return [
    { after, before: middle },
    { after: middle, before },
  ];
};

const widthOf = ({ after, before }: Gap): number => {
  const from = after?.[0] ?? 0n;
  const to = before?.[0] ?? KEY_RANGE;
  return typeof from === 'bigint' && typeof to === 'bigint' ? Number(to - from) : Number.POSITIVE_INFINITY;
};

/** All of one run: keys that begin with it are above the run alone, and below the next text. */
const gapOfRun = ({ key }: DamagedTable, run: string): Gap => ({
  after: key.length === 1 ? null : [run, -1n],
  before: [`${run}\u0000`],
});
