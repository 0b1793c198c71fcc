import type { Database } from 'better-sqlite3';
import { bucketEdges } from '../core/bucket-edges.ts';
import type { Series, StepHistoryQuery } from '../core/ports.ts';

/** A trainer has a handful of losses; a run that names more of them than this is no trainer's. */
const MAX_LOSSES = 64;
const ROWS_A_CHECK = 1000;

/** What the worker is asked for. */
export type StepHistoryInput = StepHistoryQuery & { readonly run: string };

/**
 * Reads the steps of a run in buckets: `stepS`, `dataS`, `reservedMib` and, for each of its losses, `loss.NAME`. A step
 * belongs to the bucket of its moment, one without a moment to none; a value that was not finite counts nowhere. It
 * looks at all steps of the run: about half a second for the 200,000 that are kept.
 */
export const createReadSteps = (db: Database) => {
  const steps = db.prepare<[string, number, number], Row>(
    'SELECT at, loss, data_s, step_s, reserved_mib FROM steps WHERE run = ? AND at >= ? AND at < ?',
  );
  return ({ run, from, to, stepMs }: StepHistoryInput, checkEnd: () => void): Series => {
    const edges = bucketEdges({ from, to, stepMs });
    const [first = from] = edges;
    const t = edges.slice(0, -1);
    const measures = {
      stepS: emptyColumns(t.length),
      dataS: emptyColumns(t.length),
      reservedMib: emptyColumns(t.length),
    };
    const losses = new Map<string, Columns>();
    const columnsOfLoss = (name: string): Columns | undefined => {
      if (!losses.has(name) && losses.size < MAX_LOSSES) losses.set(name, emptyColumns(t.length));
      return losses.get(name);
    };
    let read = 0;
    for (const row of steps.iterate(run, from, to)) {
      if (++read % ROWS_A_CHECK === 0) checkEnd();
      const bucket = Math.floor((row.at - first) / stepMs);
      add(measures.stepS, bucket, row.step_s);
      add(measures.dataS, bucket, row.data_s);
      add(measures.reservedMib, bucket, row.reserved_mib);
      // As stepOf wrote it.
      const loss: Record<string, number | null> = JSON.parse(row.loss);
      for (const [name, value] of Object.entries(loss)) add(columnsOfLoss(name), bucket, value);
    }
    const named = [...losses].map(([name, columns]) => [`loss.${name}`, columns] as const);
    const all = [...Object.entries(measures), ...named].map(([name, columns]) => [name, seriesOf(columns)] as const);
    return { t, metrics: Object.fromEntries(all) };
  };
};

type Row = {
  at: number;
  loss: string;
  data_s: number | null;
  step_s: number | null;
  reserved_mib: number | null;
};

type Columns = { count: number[]; sum: number[]; min: number[]; max: number[] };

const emptyColumns = (length: number): Columns => ({
  count: new Array<number>(length).fill(0),
  sum: new Array<number>(length).fill(0),
  min: new Array<number>(length).fill(Infinity),
  max: new Array<number>(length).fill(-Infinity),
});

const add = (columns: Columns | undefined, bucket: number, value: number | null): void => {
  if (columns === undefined || value === null) return;
  columns.count[bucket] = (columns.count[bucket] ?? 0) + 1;
  columns.sum[bucket] = (columns.sum[bucket] ?? 0) + value;
  columns.min[bucket] = Math.min(columns.min[bucket] ?? value, value);
  columns.max[bucket] = Math.max(columns.max[bucket] ?? value, value);
};

const seriesOf = ({ count, sum, min, max }: Columns) => {
  const filled = (values: readonly number[]) => values.map((value, i) => (count[i] === 0 ? null : value));
  return { avg: filled(sum.map((total, i) => total / (count[i] ?? 0))), min: filled(min), max: filled(max), count };
};
