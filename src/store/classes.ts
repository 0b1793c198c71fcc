import type { Database } from 'better-sqlite3';
import type { ClassMetrics } from '../core/output.ts';
import type { StoreReader } from '../core/ports.ts';
import type { ClassesEvent } from '../core/trace.ts';
import { splitMeasures } from './measures.ts';
import { keyAfter, toPage } from './pages.ts';

/** The table of metrics by class: one row for each validation of an output. A validation told again replaces itself. */
export type Classes = Pick<StoreReader, 'listClasses'> & {
  readonly put: (run: string, metrics: ClassMetrics) => void;
};

/** Validations, the oldest go; classes of one (LVIS has 1203), the first stay. */
const KEPT_A_RUN = 2000;
const MAX_CLASSES = 2000;

export const createClasses = (db: Database): Classes => {
  const replace = db.prepare<[Omit<Row, 'number'> & { run: string }]>(`
    INSERT OR REPLACE INTO classes (run, attempt, final, epoch, source, at, body)
    VALUES (@run, @attempt, @final, @epoch, @source, @at, @body)`);
  const dropOldest = db.prepare<[{ run: string; kept: number }]>(`
    DELETE FROM classes WHERE run = @run AND number <= (
      SELECT number FROM classes WHERE run = @run ORDER BY number DESC LIMIT 1 OFFSET CAST(@kept AS INTEGER)
    )`);
  const page = db.prepare<[Key & { run: string; limit: number }], Row>(`
    SELECT * FROM classes
    WHERE run = @run AND (attempt, final, coalesce(epoch, -1), source) > (@attempt, @final, @epoch, @source)
    ORDER BY attempt, final, coalesce(epoch, -1), source LIMIT @limit`);

  return {
    put: (run, { attempt, final, epoch, source, at, classes }) => {
      replace.run({ run, attempt, final: final ? 1 : 0, epoch, source, at, body: JSON.stringify(classes) });
      dropOldest.run({ run, kept: KEPT_A_RUN });
    },
    listClasses: (run, { limit, cursor }) => {
      const list = `classes ${run}`;
      const first = [0, 0, -1, ''] as const;
      const [attempt, final, epoch, source] = keyAfter<readonly [number, number, number, string]>(list, cursor, first);
      const rows = page.all({ run, attempt, final, epoch, source, limit: limit + 1 });
      return toPage(list, rows, limit, {
        keyOf: (row) => [row.attempt, row.final, row.epoch ?? -1, row.source],
        itemOf: metricsOfRow,
      });
    },
  };
};

/** What an event of this attempt says, class by class: there it stands metric by metric. */
export const classMetricsOf = (event: ClassesEvent, attempt: number, source: string): ClassMetrics => {
  const { t, kind: _, epoch, final = false, ...metrics } = event;
  const classes = new Map<string, ReturnType<typeof newClass>>();
  for (const [metric, measures] of Object.entries(metrics)) {
    const { values, nonFinite } = splitMeasures(measures, MAX_CLASSES);
    for (const [name, value] of Object.entries(values)) {
      const known = classes.get(name) ?? newClass(name);
      classes.set(name, known);
      known.metrics[metric] = value;
      const kind = nonFinite?.[name];
      if (kind === undefined) continue;
      known.nonFinite ??= {};
      known.nonFinite[metric] = kind;
    }
  }
  return { attempt, epoch, final, at: t, source, classes: [...classes.values()].slice(0, MAX_CLASSES) };
};

const newClass = (name: string): ClassMetrics['classes'][number] => ({ name, metrics: {} });

type Key = { attempt: number; final: number; epoch: number; source: string };

type Row = {
  attempt: number;
  final: number;
  epoch: number | null;
  source: string;
  at: number | null;
  body: string;
};

const metricsOfRow = ({ attempt, epoch, final, at, source, body }: Row): ClassMetrics => ({
  attempt,
  epoch,
  final: final === 1,
  at,
  source,
  classes: JSON.parse(body),
});
