import { bytesInWords, counted, listed } from '../doctor/wording.ts';
import type { Contents, Tier, TierName } from '../store/care/contents.ts';

const TIERS: readonly (readonly [TierName, string])[] = [
  ['hot', 'samples, not sealed yet'],
  ['raw', 'samples, sealed'],
  ['60s', '60 s rollups'],
  ['1h', '1 h rollups'],
];
const NUMBER = new Intl.NumberFormat('en-US');

/** What is in a database, for people. */
export const describeContents = (contents: Contents, newestSchema: number): string => {
  const { path, schema, bytes, logBytes, freeBytes, tiers, subjects, runs, rows } = contents;
  const update = schema < newestSchema ? `, brought up to ${newestSchema} at the next start of serve` : '';
  const count = Object.values(runs).reduce((sum, n) => sum + n, 0);
  const states = Object.entries(runs).map(([state, n]) => `${n} ${state}`);
  return `${path}
${sizeOf(bytes)}, ${sizeOf(freeBytes)} of it free; ${sizeOf(logBytes)} of log beside it; schema ${schema}${update}

${table([['History', 'rows', 'size', 'from', 'to'], ...TIERS.map(([name, title]) => rowOf(title, tiers[name]))])}

${table([
  ['Subjects', listed(Object.entries(subjects).map(([kind, n]) => `${NUMBER.format(n)} ${kind}`)) || 'none'],
  ['Runs', count === 0 ? 'none' : `${NUMBER.format(count)}: ${listed(states)}`],
  [
    'Of runs',
    `${many(rows.epochs, 'epoch')}, ${many(rows.steps, 'batch', 'batches')}, ${many(rows.log_lines, 'line')}`,
  ],
  ['Alerts', `${many(rows.alerts, 'alert')}, ${many(rows.events, 'event')}`],
])}
`;
};

const rowOf = (title: string, { rows, bytes, oldest, newest }: Tier): readonly string[] =>
  rows === 0 ? [title, 'none'] : [title, NUMBER.format(rows), sizeOf(bytes), dateOf(oldest), dateOf(newest)];

const sizeOf = (bytes: number): string => (bytes === 0 ? '0 KiB' : bytesInWords(bytes));

const many = (count: number, one: string, several?: string): string =>
  counted(count, one, several).replace(/^\d+/, NUMBER.format(count));

const dateOf = (moment: number | null): string =>
  moment === null ? '' : `${new Date(moment).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, place) => Math.max(...rows.map((row) => (row[place] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, place) => cell.padEnd(widths[place] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
