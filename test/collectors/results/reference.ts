/** A row of a result file, as plainly as can be. */
export type PlainRow = {
  readonly epoch: number;
  readonly fileAttempt: number;
  readonly elapsedS: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
};

/** What a result file holds. `first`: header and first row; null while there is none. */
export type PlainFile = { readonly rows: readonly PlainRow[]; readonly keptOut: number; readonly first: string | null };

/**
 * Says what a whole result file holds: written without the parser, for comparison with it, line by line and with no
 * thought of speed. Knows no more columns than the random files have.
 */
export const readWhole = (text: string): PlainFile => {
  const lines = text.replaceAll('\r', '').split('\n');
  const unfinished = lines.pop() ?? '';
  const rows: PlainRow[] = [];
  let names: readonly string[] | null = null;
  let keptOut = lines.length > 0 && unfinished.includes('\0') ? 1 : 0;
  let first: string | null = null;
  let begun: string | null = null;
  for (const written of lines) {
    const line = written.replaceAll('\0', '').trimEnd();
    const hasNul = written.includes('\0');
    if (hasNul) keptOut++;
    if (line === '') continue;
    const cells = line.split(',').map((cell) => cell.trim());
    if (cells.includes('epoch')) {
      names = cells;
      begun ??= line;
      continue;
    }
    const read: Read | null = names === null ? readFields(line.trim().split(/ +/)) : readNamed(names, cells);
    if (begun === null && read === null) begun = line;
    else first ??= `${begun}\n${line}`;
    if (read) {
      const { epoch, elapsedS, metrics } = read;
      rows.push({ epoch, fileAttempt: attemptOf(rows.at(-1), read), elapsedS, metrics });
    } else if (!hasNul) keptOut++;
  }
  return { rows, keptOut, first };
};

type Read = Omit<PlainRow, 'fileAttempt'>;

/** NaN for what is no number, null for what is not finite or not there. */
const numberOf = (cell: string): number | null => {
  if (['', 'nan', 'inf', '-inf'].includes(cell)) return null;
  return /^[\d.e-]+$/.test(cell) ? Number(cell) : Number.NaN;
};

const readNamed = (names: readonly string[], cells: readonly string[]): Read | null => {
  const numbers = cells.map(numberOf);
  const metrics: Record<string, number | null> = {};
  let elapsedS: number | null = null;
  if (cells.length !== names.length || numbers.some((number) => Number.isNaN(number))) return null;
  names.forEach((name, index) => {
    const number = numbers[index] ?? null;
    if (name === 'time') elapsedS = number;
    else if (name !== 'epoch') metrics[name] = number;
  });
  const epoch = numbers[names.indexOf('epoch')] ?? null;
  return epoch === null || !Number.isInteger(epoch) || epoch < 0 ? null : { epoch, elapsedS, metrics };
};

const OWN_LOSSES: Readonly<Record<number, string>> = {
  15: '',
  16: ' train/landmark_loss',
  17: ' train/kpt_loss train/kptv_loss',
};

const readFields = (fields: readonly string[]): Read | null => {
  const own = OWN_LOSSES[fields.length];
  const [progress = '', memory = '', ...rest] = fields;
  if (own === undefined || !/^\d+\/\d+$/.test(progress) || !/^[\d.]+G$/.test(memory)) return null;
  const names =
    `epoch gpu_mem train/box_loss train/obj_loss train/cls_loss${own} total labels img_size metrics/precision ` +
    'metrics/recall metrics/mAP_0.5 metrics/mAP_0.5:0.95 val/box_loss val/obj_loss val/cls_loss';
  return readNamed(names.split(' '), [progress.split('/')[0] ?? '', memory.replace('G', ''), ...rest]);
};

const attemptOf = (before: PlainRow | undefined, row: Read): number => {
  if (before === undefined) return 0;
  const timed = before.elapsedS !== null && row.elapsedS !== null;
  const again = timed ? Number(row.elapsedS) < Number(before.elapsedS) : row.epoch === before.epoch;
  return before.fileAttempt + (row.epoch < before.epoch || again ? 1 : 0);
};
