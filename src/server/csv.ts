type Cell = string | number | null;

/**
 * CSV by RFC 4180: CRLF, null as an empty cell. Names in run folders are foreign text, and a spreadsheet takes a cell
 * that begins with = + - @ for a formula: such text gets an apostrophe in front (numbers stay as they are).
 */
export const formatCsv = (header: readonly string[], rows: Iterable<readonly Cell[]>): string => {
  let text = formatCsvLine(header);
  for (const row of rows) text += formatCsvLine(row);
  return text;
};

/** One line of it. */
export const formatCsvLine = (cells: readonly Cell[]): string => `${cells.map(formatCell).join(',')}\r\n`;

const formatCell = (cell: Cell): string => {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** True when the client prefers CSV: it names it, and not JSON before it. */
export const wantsCsv = (accept: string | undefined): boolean => /^\s*text\/csv\b/.test(accept ?? '');
