import type { Database } from 'better-sqlite3';
import type { Step } from '../core/output.ts';
import type { StoreReader } from '../core/ports.ts';
import type { StepEvent } from '../core/trace.ts';
import { finite } from './finite.ts';
import { splitMeasures } from './measures.ts';
import { keyAfter, toPage } from './pages.ts';

/** The table of steps, key (run, attempt, epoch, batch). */
export type Steps = Pick<StoreReader, 'listSteps'> & {
  /**
   * Takes steps in the order of their output. Of a step that is there already (an epoch begun again, or another output
   * that says the same) the newer values count, and of its loss the mean over the fewest batches.
   */
  readonly put: (run: string, steps: readonly Step[]) => void;
};

/**
 * Writers thin what they say to a few steps a second; what does not is held to this many a run (about 20 MB). The
 * oldest go, some at a time: counting them costs as much as reading them.
 */
const KEPT_A_RUN = 200_000;
const OVER_BEFORE_DROP = 10_000;
const MAX_LOSSES = 64;

const IS_FINER = `excluded.loss <> '{}' AND (loss = '{}' OR excluded.loss_over <= loss_over)`;

export const createSteps = (db: Database): Steps => {
  const upsert = db.prepare<(string | number | null)[]>(`
    INSERT INTO steps
      (run, attempt, epoch, batch, batches, at, loss, non_finite, loss_over, data_s, step_s, reserved_mib)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
      loss = iif(${IS_FINER}, excluded.loss, loss),
      non_finite = iif(${IS_FINER}, excluded.non_finite, non_finite),
      loss_over = iif(${IS_FINER}, excluded.loss_over, loss_over),
      batches = coalesce(excluded.batches, batches), at = coalesce(excluded.at, at),
      data_s = coalesce(excluded.data_s, data_s), step_s = coalesce(excluded.step_s, step_s),
      reserved_mib = coalesce(excluded.reserved_mib, reserved_mib)`);
  const page = db.prepare<[PageParameters], Row>(`
    SELECT * FROM steps
    WHERE run = @run AND (attempt, epoch, batch) > (@attempt, @epoch, @batch)
      AND (@from IS NULL OR at >= @from) AND (@to IS NULL OR at < @to)
    ORDER BY attempt, epoch, batch LIMIT @limit`);
  const newest = db.prepare<[Omit<PageParameters, 'attempt' | 'epoch' | 'batch'>], Row>(`
    SELECT * FROM steps
    WHERE run = @run AND (@from IS NULL OR at >= @from) AND (@to IS NULL OR at < @to)
    ORDER BY attempt DESC, epoch DESC, batch DESC LIMIT @limit`);
  const countOf = db.prepare<[string], number>('SELECT count(*) FROM steps WHERE run = ?').pluck();
  const dropOldest = db.prepare<[{ run: string; count: number }]>(`
    DELETE FROM steps WHERE run = @run AND (attempt, epoch, batch) < (
      SELECT attempt, epoch, batch FROM steps WHERE run = @run
      ORDER BY attempt, epoch, batch LIMIT 1 OFFSET CAST(@count AS INTEGER)
    )`);

  /** About as many as each run has: they are counted before any is dropped. */
  const counts = new Map<string, number>();
  const limit = (run: string, added: number) => {
    const known = counts.get(run);
    let count = known === undefined ? (countOf.get(run) ?? 0) : known + added;
    if (count > KEPT_A_RUN + OVER_BEFORE_DROP) {
      const over = (countOf.get(run) ?? 0) - KEPT_A_RUN;
      if (over > 0) dropOldest.run({ run, count: over });
      count = KEPT_A_RUN + Math.min(over, 0);
    }
    counts.set(run, count);
  };

  return {
    put: (run, steps) => {
      for (const step of steps) {
        upsert.run(
          run,
          step.attempt,
          step.epoch,
          step.batch,
          step.batches,
          step.at,
          JSON.stringify(step.loss),
          step.nonFinite === undefined ? null : JSON.stringify(step.nonFinite),
          step.lossOver,
          step.dataS,
          step.stepS,
          step.reservedMib,
        );
      }
      if (steps.length > 0) limit(run, steps.length);
    },
    listSteps: (run, { limit, cursor, from = null, to = null, newest: wantsNewest }) => {
      if (wantsNewest) return { items: newest.all({ run, from, to, limit }).reverse().map(stepOfRow), next: null };
      const list = `steps ${run}`;
      const [attempt, epoch, batch] = keyAfter<readonly [number, number, number]>(list, cursor, [0, 0, 0]);
      const rows = page.all({ run, attempt, epoch, batch, from, to, limit: limit + 1 });
      return toPage(list, rows, limit, {
        keyOf: (row) => [row.attempt, row.epoch, row.batch],
        itemOf: stepOfRow,
      });
    },
  };
};

/** The step that an event of this attempt speaks of. */
export const stepOf = (event: StepEvent, attempt: number): Step => {
  const { values, nonFinite } = splitMeasures(event.loss, MAX_LOSSES);
  const { t, epoch, batch, batches = null, lossOver = 1, dataS, stepS, reservedMib } = event;
  return {
    attempt,
    epoch,
    batch,
    batches,
    at: t,
    loss: values,
    ...(nonFinite && { nonFinite }),
    lossOver,
    dataS: finite(dataS),
    stepS: finite(stepS),
    reservedMib: finite(reservedMib),
  };
};

type Row = {
  attempt: number;
  epoch: number;
  batch: number;
  batches: number | null;
  at: number | null;
  loss: string;
  non_finite: string | null;
  loss_over: number;
  data_s: number | null;
  step_s: number | null;
  reserved_mib: number | null;
};

type PageParameters = {
  run: string;
  attempt: number;
  epoch: number;
  batch: number;
  from: number | null;
  to: number | null;
  limit: number;
};

const stepOfRow = (row: Row): Step => ({
  attempt: row.attempt,
  epoch: row.epoch,
  batch: row.batch,
  batches: row.batches,
  at: row.at,
  loss: JSON.parse(row.loss),
  ...(row.non_finite === null ? {} : { nonFinite: JSON.parse(row.non_finite) }),
  lossOver: row.loss_over,
  dataS: row.data_s,
  stepS: row.step_s,
  reservedMib: row.reserved_mib,
});
