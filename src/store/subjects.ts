import type { Database } from 'better-sqlite3';

/** The table of subjects: what samples belong to, as small numbers. */
export type Subjects = {
  readonly find: (name: string) => Subject | undefined;
  readonly nameOf: (id: number) => string | undefined;
  /** Sets when the newest sample was taken, and answers the subject's number, made when it is new. */
  readonly enter: (name: string, newestAt: number) => number;
};

/** `newestAt`: when the newest sample in the tables was taken, by the clock of today: earlier ones may be ahead of it. */
export type Subject = { readonly id: number; readonly newestAt: number };

export const createSubjects = (db: Database): Subjects => {
  const find = db.prepare<[string], Subject>('SELECT id, newest_at AS newestAt FROM subjects WHERE name = ?');
  const enter = db
    .prepare<[{ name: string; newestAt: number }], number>(`
      INSERT INTO subjects (name, newest_at) VALUES (@name, @newestAt)
      ON CONFLICT DO UPDATE SET newest_at = @newestAt
      RETURNING id`)
    .pluck();

  const nameOf = db.prepare<[number], string>('SELECT name FROM subjects WHERE id = ?').pluck();

  return {
    find: (name) => find.get(name),
    nameOf: (id) => nameOf.get(id),
    enter: (name, newestAt) => {
      const id = enter.get({ name, newestAt });
      if (id === undefined) throw new Error(`subjects: expected a number for ${name}, got none`);
      return id;
    },
  };
};
