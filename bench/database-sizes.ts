import Database from 'better-sqlite3';

/** Bytes of each table with its indexes, all of its pages; and of the pages that hold nothing. */
export const sizesIn = (path: string): { readonly tables: ReadonlyMap<string, number>; readonly free: number } => {
  const db = new Database(path, { readonly: true });
  const rows = db
    .prepare<[], { name: string; bytes: number }>(`
      SELECT tbl_name AS name, sum(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name) GROUP BY tbl_name`)
    .all();
  const free = db
    .prepare<[], number>('SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size')
    .pluck();
  const sizes = { tables: new Map(rows.map(({ name, bytes }) => [name, bytes])), free: free.get() ?? 0 };
  db.close();
  return sizes;
};
