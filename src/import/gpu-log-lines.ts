import type { GpuLogRow } from '../core/gpu-log.ts';
import { GpuLogError } from './gpu-log-error.ts';
import { type Layout, parseHeader } from './layout.ts';
import { createTimestampReader } from './timestamp.ts';

/** What a line of a log is. `passedOver` says why nothing of it is taken, in words that all its like share. */
export type GpuLogLine =
  | { readonly row: GpuLogRow; readonly name: string | null }
  | { readonly passedOver: string }
  | { readonly says: 'nothing' };

/**
 * Reads the lines of a log of `nvidia-smi --query-gpu=… --format=csv`, in order, whether with units or without. A header
 * may come again, also with other columns: the logger was restarted. Which GPU a line is of says its UUID, else its
 * index, else its place on the bus or its name, numbered as they come. A cell that is not a number, such as `[N/A]`, is
 * null. Throws {@link GpuLogError} where reading on would be guessing: no header, decimal commas, lines of several GPUs
 * that say nowhere which; and a RangeError on a zone that is not known.
 */
export const createGpuLogReader = (zone: string): ((line: string, number: number) => GpuLogLine) => {
  const readTimestamp = createTimestampReader(zone);
  const numbers = new Map<string, number>();
  const newestAt = new Map<GpuLogRow['gpu'], number>();
  let layout: Layout | null = null;

  const gpuOf = ({ uuid, index, busId, name }: Layout, cells: readonly string[]): GpuLogRow['gpu'] | null => {
    const id = cells[uuid] ?? '';
    if (/^(GPU|MIG)-[A-Za-z0-9/-]{1,100}$/.test(id)) return id;
    const number = cells[index] ?? '';
    if (/^\d{1,3}$/.test(number)) return Number(number);
    if (uuid !== -1 || index !== -1) return null;
    const other = cells[busId] ?? cells[name] ?? '';
    const known = numbers.get(other) ?? numbers.size;
    numbers.set(other, known);
    return known;
  };

  return (line, number) => {
    if (line.trim() === '') return { says: 'nothing' };
    const header = parseHeader(line, number);
    if (header !== null) {
      layout = header;
      return { says: 'nothing' };
    }
    if (layout === null) {
      if (/^\d{4}[-/]\d\d[-/]\d\d[ T][^,]*,/.test(line)) throw new GpuLogError(headless(number));
      return { passedOver: 'before the header' };
    }
    const cells = cellsOf(line, layout);
    if (cells === null) return { passedOver: `other than ${layout.titles.length} cells` };
    const gpu = gpuOf(layout, cells);
    if (gpu === null) return { passedOver: 'does not say which GPU it is of' };
    const after = newestAt.get(gpu) ?? Number.NEGATIVE_INFINITY;
    const time = readTimestamp(cells[layout.timestamp] ?? '', after);
    if ('problem' in time) return { passedOver: time.problem };
    const { at } = time;
    if (at === after && layout.uuid === -1 && layout.index === -1 && layout.busId === -1) {
      throw new GpuLogError(
        `line ${number}: a second line of the same moment, and no column says which GPU it is of; log uuid or index too`,
      );
    }
    const values = valuesOf(layout, cells, number);
    if (values === null) return { passedOver: 'no value in it' };
    newestAt.set(gpu, Math.max(after, at));
    return { row: { at, gpu, values }, name: cells[layout.name] ?? null };
  };
};

const headless = (number: number): string =>
  `line ${number}: expected the header first (timestamp, index, utilization.gpu [%], …); a log made with noheader does ` +
  'not say what its columns are: put the line with their names on top';

/** Null: there are more or fewer than columns. Cells are not quoted, so a name may hold what separates them. */
const cellsOf = (line: string, { separator, titles, name }: Layout): readonly string[] | null => {
  const cells = line.split(separator).map((cell) => cell.trim());
  const more = cells.length - titles.length;
  if (more > 0 && name !== -1) cells.splice(name, more + 1, cells.slice(name, name + more + 1).join(separator));
  return cells.length === titles.length ? cells : null;
};

/** Null: there is none. */
const valuesOf = ({ metrics, titles }: Layout, cells: readonly string[], number: number) => {
  const values: Record<string, number | null> = {};
  let hasAny = false;
  for (const { metric, places } of metrics) {
    let value: number | null = null;
    for (const { at, read } of places) {
      const cell = cells[at] ?? '';
      value ??= read(withoutUnit(cell));
      if (value === null && /^-?[\d.]*\d,\d+\D*$/.test(cell)) {
        throw new GpuLogError(
          `line ${number}, column ${titles[at]}: "${cell}" has a decimal comma; expected a point, as nvidia-smi writes it`,
        );
      }
    }
    values[metric] = value;
    hasAny ||= value !== null;
  }
  return hasAny ? values : null;
};

/** `24741 MiB` without MiB. */
const withoutUnit = (cell: string): string => cell.replace(/ ?(%|[A-Za-z]+)$/, '');
