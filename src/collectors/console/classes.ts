import type { ClassesEvent } from '../../core/trace.ts';

/** Gathers the rows of a table of metrics by class. */
export type ClassTable = {
  /** The heading, which is the label of the validation's bar. */
  readonly head: (label: string) => void;
  /** Whether the line was a row of the table. */
  readonly take: (line: string) => boolean;
  /** What was gathered, when the first line behind the table comes; null when there were no classes. */
  readonly close: () => Pick<ClassesEvent, 'images' | 'instances' | 'mAP50'> | null;
};

const ALL = /^\s+all((?:\s+(?:[\d.]+(?:e[-+]?\d+)?|nan))+)$/;
const NUMBER = /^(?:[\d.]+(?:e[-+]?\d+)?|nan)$/;

const COUNTS = ['images', 'instances'] as const;
const BOX = ['precision', 'recall', 'mAP50', 'mAP50-95'] as const;
const MASK = ['precision(M)', 'recall(M)', 'mAP50(M)', 'mAP50-95(M)'] as const;
const POSE = ['precision(P)', 'recall(P)', 'mAP50(P)', 'mAP50-95(P)'] as const;
type Column = (typeof COUNTS)[number] | (typeof BOX)[number] | (typeof MASK)[number] | (typeof POSE)[number];

/** As many classes as a table is read of; LVIS has 1,203. */
const MAX_CLASSES = 20_000;
const MAX_NAME = 256;

/**
 * The row `all` opens a table and tells how many columns it has: those are counted from the right, as the names of
 * classes may hold spaces. It is no class itself.
 */
export const createClassTable = (): ClassTable => {
  let second: readonly Column[] = [];
  let columns: readonly Column[] | null = null;
  let rows: { readonly name: string; readonly values: readonly (number | 'nan')[] }[] = [];

  return {
    head: (label) => {
      second = label.includes('Mask(P') ? MASK : label.includes('Pose(P') ? POSE : [];
    },
    take: (line) => {
      const all = ALL.exec(line)?.[1];
      if (all !== undefined) {
        const count = all.trim().split(/\s+/).length;
        const known = [...COUNTS, ...BOX, ...second];
        columns = count === known.length ? known : null;
        rows = [];
        return columns !== null;
      }
      if (columns === null || !/^\s/.test(line)) return false;
      const cells = line.trim().split(/\s+/);
      const numbers = cells.slice(-columns.length);
      if (cells.length <= columns.length || !numbers.every((cell) => NUMBER.test(cell))) return false;
      // The name as it stands, with its own spaces: everything before the last columns.
      const name = line.trim().replace(new RegExp(`(?:\\s+\\S+){${columns.length}}$`), '');
      if (rows.length < MAX_CLASSES && name !== '__proto__') {
        rows.push({
          name: name.slice(0, MAX_NAME),
          values: numbers.map((cell) => (cell === 'nan' ? cell : Number(cell))),
        });
      }
      return true;
    },
    close: () => {
      if (columns === null) return null;
      const table = columns.map((column, place) => [
        column,
        Object.fromEntries(rows.map(({ name, values }) => [name, values[place] ?? null])),
      ]);
      const isEmpty = rows.length === 0;
      columns = null;
      rows = [];
      return isEmpty ? null : Object.fromEntries(table);
    },
  };
};
