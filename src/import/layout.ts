import { FIELDS_OF_METRIC, fieldReader } from '../core/nvidia-smi-fields.ts';
import { GpuLogError } from './gpu-log-error.ts';

/** What the header of a log says of its columns. */
export type Layout = {
  readonly separator: ', ' | ',';
  /** The columns as the header names them. */
  readonly titles: readonly string[];
  readonly timestamp: number;
  /** Where a line says which GPU it is of; -1: there is no such column. */
  readonly uuid: number;
  readonly index: number;
  readonly busId: number;
  readonly name: number;
  /** Where each metric can stand, in order of preference. */
  readonly metrics: readonly {
    readonly metric: string;
    readonly places: readonly { readonly at: number; readonly read: (cell: string) => number | null }[];
  }[];
};

/**
 * Reads a header such as `timestamp, index, power.draw [W]`, in any order of columns; null: the line is none. Throws
 * {@link GpuLogError} on one with other separators than nvidia-smi's, and on one without a single metric.
 */
export const parseHeader = (line: string, number: number): Layout | null => {
  if (!TIMESTAMP.test(line)) return null;
  const foreign = /[;\t|]/.exec(line);
  if (foreign !== null && !line.includes(',')) {
    throw new GpuLogError(
      `line ${number}, column ${foreign.index + 1}: ${JSON.stringify(foreign[0])} stands between the columns; expected ` +
        '", " as nvidia-smi writes it (was the file saved by a spreadsheet?)',
    );
  }
  const separator = line.includes(', ') ? ', ' : ',';
  const titles = line.split(separator).map((title) => title.trim());
  const fields = titles.map((title) => title.replace(/\s*\[.*\]$/, '').toLowerCase());
  const place = (...names: readonly string[]) => fields.findIndex((field) => names.includes(field));
  const metrics = Object.entries(FIELDS_OF_METRIC).flatMap(([metric, candidates]) => {
    const places = candidates.flatMap((field) => {
      const at = place(field);
      return at === -1 ? [] : [{ at, read: fieldReader(field) }];
    });
    return places.length === 0 ? [] : [{ metric, places }];
  });
  if (metrics.length === 0) {
    throw new GpuLogError(`line ${number}: none of the columns is a metric, such as utilization.gpu or memory.used`);
  }
  return {
    separator,
    titles,
    timestamp: place('timestamp'),
    uuid: place('uuid', 'gpu_uuid'),
    index: place('index'),
    busId: place('pci.bus_id', 'gpu_bus_id'),
    name: place('name', 'gpu_name'),
    metrics,
  };
};

const TIMESTAMP = /(^|[,;\t|])\s*timestamp\s*($|[,;\t|])/i;
