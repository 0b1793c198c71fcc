import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { ObservedRun } from '../core/batch.ts';
import type { Store } from '../core/ports.ts';
import { isActive, type Run, type RunState } from '../core/run.ts';
import { keyAfter, toPage } from './pages.ts';

/** The table of runs. */
export type Runs = Pick<
  Store,
  | 'runAt'
  | 'saveProcesses'
  | 'processesOf'
  | 'listRuns'
  | 'getRun'
  | 'countRuns'
  | 'saveRun'
  | 'settle'
  | 'settledFiles'
> & {
  /** The run of a folder, made when there is none yet. */
  readonly find: (
    observed: Pick<ObservedRun, 'path' | 'folder'>,
    host: string,
  ) => { readonly id: string; readonly isNew: boolean };
};

export const createRuns = (db: Database): Runs => {
  const byId = db.prepare<[string], Row>('SELECT * FROM runs WHERE id = ?');
  const page = db.prepare<[PageParameters], Row>(`
    SELECT * FROM runs
    WHERE (coalesce(started_at, -1), id) < (@at, @id)
      AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
      AND (@text IS NULL OR name LIKE @text ESCAPE '\\' OR path LIKE @text ESCAPE '\\' OR model LIKE @text ESCAPE '\\'
        OR EXISTS (SELECT 1 FROM json_each(tags) WHERE value LIKE @text ESCAPE '\\'))
    ORDER BY coalesce(started_at, -1) DESC, id DESC LIMIT @limit`);
  const saveProcesses = db.prepare<[{ run: string; known: string }]>(
    'UPDATE runs SET processes = @known WHERE id = @run',
  );
  const processesOf = db.prepare<[string], string>('SELECT processes FROM runs WHERE id = ?').pluck();
  const atPath = db
    .prepare<[string, string], string>('SELECT id FROM runs WHERE host = ? AND path = ? ORDER BY number DESC LIMIT 1')
    .pluck();
  const byInode = db.prepare<[{ host: string; inode: number }], Identity>(
    'SELECT id, path, device, born_at FROM runs WHERE host = @host AND inode = @inode ORDER BY number DESC',
  );
  const insert = db.prepare<[Identity & { host: string; inode: number; name: string }]>(`
    INSERT INTO runs (id, path, host, device, inode, born_at, name)
    VALUES (@id, @path, @host, @device, @inode, @born_at, @name)`);
  const place = db.prepare<[Omit<Identity, 'born_at'> & { name: string }]>(
    'UPDATE runs SET path = @path, name = @name, device = @device WHERE id = @id',
  );
  const derivedOf = db.prepare<[string], string | null>('SELECT derived FROM runs WHERE id = ?').pluck();
  const derive = db.prepare<[Pick<Row, 'id' | 'state' | 'started_at' | 'model' | 'derived'> & { active: number }]>(`
    UPDATE runs SET state = @state, started_at = @started_at, model = @model, derived = @derived,
      settled_files = iif(@active, NULL, settled_files)
    WHERE id = @id`);
  const count = db.prepare<[], { state: RunState; runs: number }>(
    'SELECT state, count(*) AS runs FROM runs GROUP BY state',
  );
  const settle = db.prepare<[{ run: string; files: string }]>('UPDATE runs SET settled_files = @files WHERE id = @run');
  const settled = db.prepare<[], { device: number; inode: number; path: string; files: string }>(`
    SELECT device, inode, path, settled_files AS files FROM runs
    WHERE settled_files IS NOT NULL ORDER BY device, inode, number`);

  return {
    find: ({ path, folder }, host) => {
      const known = sameFolder(byInode.all({ host, inode: folder.inode }), path, folder);
      const name = basename(path);
      if (known === undefined) {
        const id = makeId();
        const { device, inode, bornAt } = folder;
        insert.run({ id, path, host, device, inode, born_at: bornAt, name });
        return { id, isNew: true };
      }
      const { id } = known;
      if (known.path !== path || known.device !== folder.device) place.run({ id, path, name, device: folder.device });
      return { id, isNew: false };
    },
    saveProcesses: (run, known) => {
      saveProcesses.run({ run, known: JSON.stringify(known) });
    },
    // What was written is what saveProcesses was given.
    processesOf: (run) => JSON.parse(processesOf.get(run) ?? '[]'),
    runAt: (path, host) => atPath.get(host, path) ?? null,
    getRun: (id) => {
      const row = byId.get(id);
      return row && runOf(row);
    },
    listRuns: ({ limit, cursor, states, text }) => {
      const [at, id] = keyAfter<readonly [number, string]>('runs', cursor, [Number.MAX_SAFE_INTEGER, '']);
      const rows = page.all({
        at,
        id,
        states: states === undefined ? null : JSON.stringify(states),
        text: text === undefined ? null : `%${text.replace(/[\\%_]/g, '\\$&')}%`,
        limit: limit + 1,
      });
      return toPage('runs', rows, limit, { keyOf: (row) => [row.started_at ?? -1, row.id], itemOf: runOf });
    },
    saveRun: ({ tags: _tags, notes: _notes, ...run }) => {
      const derived = JSON.stringify(run);
      if (derivedOf.get(run.id) === derived) return false;
      const { id, state, startedAt, model } = run;
      derive.run({ id, state, started_at: startedAt, model, derived, active: isActive(run) ? 1 : 0 });
      return true;
    },
    countRuns: () => {
      const counts = { ...NO_RUNS };
      for (const { state, runs } of count.all()) counts[state] = runs;
      return counts;
    },
    settle: (run, files) => {
      settle.run({ run, files });
    },
    // In the order of the runs: where an inode was given again, the newest counts.
    settledFiles: () =>
      new Map(settled.all().map(({ device, inode, path, files }) => [`${device}:${inode}`, { path, files }])),
  };
};

const NO_RUNS: Readonly<Record<RunState, number>> = {
  starting: 0,
  running: 0,
  stalled: 0,
  finished: 0,
  early_stopped: 0,
  stopped: 0,
  failed: 0,
};

type Identity = { id: string; path: string; device: number; born_at: number | null };
type Row = {
  id: string;
  name: string;
  path: string;
  host: string;
  state: string;
  started_at: number | null;
  model: string | null;
  derived: string | null;
  tags: string;
  notes: string;
};
type PageParameters = { at: number; id: string; states: string | null; text: string | null; limit: number };

/**
 * Which of the runs with this inode (newest first) lives in the folder. At its path the inode is enough (a device
 * number may change with a reboot); elsewhere it is a run that moved. A birth that differs says that the inode was
 * given again to another folder. A folder that shows under two paths (a bind mount) is one run, at the path seen last.
 */
const sameFolder = (rows: readonly Identity[], path: string, folder: ObservedRun['folder']): Identity | undefined => {
  const candidates = rows.filter(
    ({ born_at }) => born_at === null || folder.bornAt === null || born_at === folder.bornAt,
  );
  return candidates.find((row) => row.path === path) ?? candidates.find((row) => row.device === folder.device);
};

/** 40 random bits in letters and digits that are not mistaken for each other (Crockford's base 32). */
const makeId = (): string => `r_${Array.from(randomBytes(8), (byte) => ALPHABET.charAt(byte & 31)).join('')}`;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

const runOf = (row: Row): Run => {
  const derived: Omit<Run, 'tags' | 'notes'> = row.derived === null ? notYetDerived(row) : JSON.parse(row.derived);
  // A folder may have moved since the run was derived.
  return { ...derived, name: row.name, path: row.path, tags: JSON.parse(row.tags), notes: row.notes };
};

const notYetDerived = ({ id, name, path, host }: Row): Omit<Run, 'tags' | 'notes'> => ({
  id,
  name,
  path,
  host,
  framework: null,
  task: null,
  model: null,
  state: 'starting',
  stateReason: null,
  stateEvidence: [],
  attempts: 0,
  startedAt: null,
  updatedAt: null,
  endedAt: null,
  epochs: 0,
  epochsPlanned: null,
  epochBase: null,
  etaAt: null,
  secondsPerEpoch: null,
  imagesPerSecond: null,
  best: null,
  latest: null,
  args: null,
  gpus: [],
  pids: [],
  rowsKeptOut: 0,
});
