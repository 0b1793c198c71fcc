import type { Database } from 'better-sqlite3';
import type { KnownOutput } from '../core/output-facts.ts';
import type { Store } from '../core/ports.ts';

/** The table of outputs: how far each output of a run was taken, and what it has come to. */
export type Outputs = Pick<Store, 'outputsOf'> & {
  readonly find: (run: string, source: string) => StoredOutput | undefined;
  readonly save: (run: string, output: StoredOutput) => void;
};

export type StoredOutput = KnownOutput & {
  readonly generation: string;
  /** How many attempts the generations before this one spoke of. */
  readonly attemptsBefore: number;
  /** The offset up to which the events of this generation are in the tables. */
  readonly taken: number;
};

export const createOutputs = (db: Database): Outputs => {
  const one = db.prepare<[string, string], Row>('SELECT * FROM outputs WHERE run = ? AND source = ?');
  const all = db.prepare<[string], Row>('SELECT * FROM outputs WHERE run = ? ORDER BY source');
  const replace = db.prepare<[Row & { run: string }]>(`
    INSERT OR REPLACE INTO outputs (run, source, generation, attempts_before, taken, written_at, facts)
    VALUES (@run, @source, @generation, @attempts_before, @taken, @written_at, @facts)`);

  return {
    find: (run, source) => {
      const row = one.get(run, source);
      return row && outputOf(row);
    },
    outputsOf: (run) =>
      all.all(run).map((row) => {
        const { source, facts, writtenAt } = outputOf(row);
        return { source, facts, writtenAt };
      }),
    save: (run, { source, generation, attemptsBefore, taken, writtenAt, facts }) => {
      replace.run({
        run,
        source,
        generation,
        attempts_before: attemptsBefore,
        taken,
        written_at: writtenAt,
        facts: JSON.stringify(facts),
      });
    },
  };
};

type Row = {
  source: string;
  generation: string;
  attempts_before: number;
  taken: number;
  written_at: number | null;
  facts: string;
};

const outputOf = ({ source, generation, attempts_before, taken, written_at, facts }: Row): StoredOutput => ({
  source,
  generation,
  attemptsBefore: attempts_before,
  taken,
  writtenAt: written_at,
  facts: JSON.parse(facts),
});
