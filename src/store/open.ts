import { closeSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Log } from '../core/log.ts';
import type { Store } from '../core/ports.ts';
import { DEFAULT_RETENTION, type Retention } from '../core/retention.ts';
import { createAlerts } from './alerts.ts';
import { createAttempts } from './attempts.ts';
import { type Claim, claimDatabase } from './claim.ts';
import { createClasses } from './classes.ts';
import { createEpochs } from './epochs.ts';
import { createEvents } from './events.ts';
import { createGpus } from './gpus.ts';
import { createHistory } from './history/history.ts';
import { createSealing } from './history/sealing.ts';
import { createHosts } from './hosts.ts';
import { createLogLines } from './log-lines.ts';
import { migrate } from './migrate.ts';
import { createObserveOutput } from './observe-output.ts';
import { createObserveRun } from './observe-run.ts';
import { createOutputs } from './outputs.ts';
import { createPhases } from './phases.ts';
import { createPutOff } from './put-off.ts';
import { createRetention } from './retention/retention.ts';
import { createRuleStates } from './rule-states.ts';
import { createRunGpus } from './run-gpus.ts';
import { createRunProcesses } from './run-processes.ts';
import { createRunStatistics } from './run-statistics.ts';
import { createRuns } from './runs.ts';
import { salvage } from './salvage.ts';
import { createSamples } from './samples.ts';
import { createStepHistory } from './step-history.ts';
import { createSteps } from './steps.ts';
import { StoreError } from './store-error.ts';
import { createTransactions } from './transaction.ts';
import { createWorker } from './worker/worker.ts';

/** `path` may be `:memory:`; `migrations` is the folder of the `NNNN-….sql`. */
export type StoreOptions = {
  readonly path: string;
  readonly migrations: string;
  /** How long and how much is kept; the product's defaults unless told otherwise. */
  readonly retention?: Retention;
  readonly log?: Log;
};

/**
 * Opens a database for writing; made, with its folder, when there is none, and brought up to the newest schema. One that
 * is damaged is set aside, and a new one made of what can be read of it: the training does not wait for a person. Throws
 * {@link StoreError} when another process writes it, when it is newer than this code or not ours, and when it cannot be
 * opened.
 */
export const openStore = ({ path, migrations, retention = DEFAULT_RETENTION, log = SILENT }: StoreOptions): Store => {
  let claim: Claim | null = null;
  try {
    const isFile = path !== ':memory:';
    const name = isFile ? realNameOf(path) : path;
    if (isFile) claim = claimDatabase(name);
    const parts = { name, migrations, claim, retention, log };
    try {
      return openClaimed(parts);
    } catch (error) {
      if (!isFile || !isCorrupt(error)) throw error;
      const salvaged = salvage({ path: name, migrations, now: Date.now() });
      log.error(
        { path: name, err: error, ...salvaged },
        'the history is damaged: set aside, and made anew of what it had',
      );
      return openClaimed(parts);
    }
  } catch (error) {
    claim?.release();
    throw error instanceof StoreError ? error : unopened(path, error);
  }
};

type Claimed = Required<Omit<StoreOptions, 'path'>> & { readonly name: string; readonly claim: Claim | null };

const openClaimed = ({ name, migrations, ...parts }: Claimed): Store => {
  const db = openDatabase(name);
  try {
    migrate(db, migrations);
    return createStore({ db, ...parts });
  } catch (error) {
    db.close();
    throw error;
  }
};

/** Not: something else than a database, which is somebody's file. */
const isCorrupt = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code.startsWith('SQLITE_CORRUPT');

/** While there is more to maintain, the log is moved into the database file this often: that waits for the disk. */
const MOVE_EVERY_MS = 60_000;

const SILENT: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** The one name of a file that links may give others; the file is made, empty, where there is none. */
const realNameOf = (path: string): string => {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, 'a'));
  return realpathSync(path);
};

/**
 * WAL with synchronous NORMAL: what was committed is in the kernel's hands and outlives a kill -9 of this process. A
 * power cut may take back the last transactions since the last checkpoint, whole ones and from the end; it never
 * damages the file. What a tailer saw is then read again from the trainer's files; samples of that time are gone.
 */
const openDatabase = (path: string): Database.Database => {
  const db = new Database(path, { timeout: 2000 });
  try {
    return prepared(db);
  } catch (error) {
    db.close();
    throw error;
  }
};

const prepared = (db: Database.Database): Database.Database => {
  // Only of a database that is new: free space is given back in small steps.
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('foreign_keys = ON');
  db.pragma('cache_size = -16384');
  db.pragma('journal_size_limit = 67108864');
  // Checkpoints wait for the disk: they are maintain's work, not that of the row that happens to fill the log. This
  // is a limit for when nobody maintains: 32 MiB.
  db.pragma('wal_autocheckpoint = 8000');
  return db;
};

type Parts = {
  readonly db: Database.Database;
  readonly claim: Claim | null;
  readonly retention: Retention;
  readonly log: Log;
};

const createStore = ({ db, claim, retention, log }: Parts): Store => {
  const samples = createSamples(db);
  const transactions = createTransactions(db, { beforeCommit: samples.writeIfDue, afterCommit: samples.dropWritten });
  const transaction = transactions.run;
  const runs = createRuns(db);
  const attempts = createAttempts(db);
  const epochs = createEpochs(db);
  const gpus = createGpus(db, samples.latest);
  const hosts = createHosts(db, samples.latest);
  const runProcesses = createRunProcesses();
  const runGpus = createRunGpus(db);
  const runStatistics = createRunStatistics(db);
  const alerts = createAlerts(db);
  const events = createEvents(db);
  const ruleStates = createRuleStates(db);
  const putOff = createPutOff(db);
  const observeRun = createObserveRun({ runs, attempts, epochs });
  const outputs = createOutputs(db);
  const steps = createSteps(db);
  const classes = createClasses(db);
  const phases = createPhases(db);
  const logLines = createLogLines(db);
  const observeOutput = createObserveOutput({ outputs, steps, classes, phases, logLines });
  const worker = createWorker(db);
  const keeping = createRetention({ db, transaction, limits: retention, log });
  const history = createHistory({ db, samples, worker });
  const size = db.prepare<[], number>('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size').pluck();

  const writeSamplesIfDue = () => {
    if (samples.isDue()) transaction(() => {});
  };
  const flushSamples = () => {
    samples.askForWrite();
    writeSamplesIfDue();
  };
  let movedAt = 0;
  const sealing = createSealing({ db, samples, worker, transaction, flush: flushSamples });

  return {
    cursor: events.cursor,
    eventsAfter: events.eventsAfter,
    compareCursors: events.compareCursors,
    listRuns: runs.listRuns,
    getRun: runs.getRun,
    countRuns: runs.countRuns,
    settledFiles: runs.settledFiles,
    listEpochs: epochs.listEpochs,
    rowsOf: epochs.rowsOf,
    listAttempts: attempts.list,
    listSteps: steps.listSteps,
    stepHistory: createStepHistory({ db, worker }),
    listClasses: classes.listClasses,
    listPhases: phases.listPhases,
    logTail: logLines.logTail,
    outputsOf: outputs.outputsOf,
    listGpus: gpus.listGpus,
    listRunGpus: runGpus.listRunGpus,
    runStatistics: runStatistics.runStatistics,
    listHosts: hosts.listHosts,
    listRunProcesses: runProcesses.listRunProcesses,
    history: history.history,
    finestStep: history.finestStep,
    windowStatistics: history.windowStatistics,
    samplesSince: samples.since,
    listAlerts: alerts.listAlerts,
    getAlert: alerts.getAlert,
    openAlerts: alerts.openAlerts,
    ruleStates: ruleStates.ruleStates,
    health: () => ({
      path: db.name,
      bytes: size.get() ?? 0,
      writable: transactions.writable(),
      warning: keeping.warning(),
      samplesLost: samples.lost(),
    }),

    transaction,
    observeRun: (...look) => transaction(() => observeRun(...look)),
    observeOutput: (...look) => transaction(() => observeOutput(...look)),
    settle: (...how) => transaction(() => runs.settle(...how)),
    saveRun: (run) => transaction(() => runs.saveRun(run)),
    saveGpus: (list, now) => transaction(() => gpus.saveGpus(list, now)),
    setGpuUse: gpus.setGpuUse,
    addRunGpus: (run, used) =>
      transaction(() => {
        runGpus.addRunGpus(run, used);
        runStatistics.forget(run);
      }),
    saveRunStatistics: (...kept) => transaction(() => runStatistics.saveRunStatistics(...kept)),
    nextWithoutStatistics: runStatistics.nextWithoutStatistics,
    setGpuNotes: gpus.setGpuNotes,
    saveHost: (host, now) => transaction(() => hosts.saveHost(host, now)),
    setHostDetail: hosts.setHostDetail,
    setRunProcesses: runProcesses.setRunProcesses,
    appendSamples: (list) => {
      const added = samples.append(list);
      writeSamplesIfDue();
      return added;
    },
    flushSamples,
    saveAlerts: (list) => transaction(() => alerts.saveAlerts(list)),
    runAt: runs.runAt,
    saveProcesses: (run, known) => transaction(() => runs.saveProcesses(run, known)),
    processesOf: runs.processesOf,
    putOffJudging: (run) => transaction(() => putOff.putOffJudging(run)),
    isPutOff: putOff.isPutOff,
    nextPutOff: putOff.nextPutOff,
    endPutOff: (run) => transaction(() => putOff.endPutOff(run)),
    addEvents: (list) => transaction(() => events.addEvents(list)),
    saveRuleStates: (states) => transaction(() => ruleStates.saveRuleStates(states)),
    dropRuleStates: (subject) => transaction(() => ruleStates.dropRuleStates(subject)),
    maintain: (now) => {
      const isKeeping = keeping.step(now);
      const isSealing = sealing.step(now);
      const isMore = isKeeping || isSealing;
      if (!isMore || now - movedAt >= MOVE_EVERY_MS) {
        movedAt = now;
        db.pragma('wal_checkpoint(PASSIVE)');
      }
      return isMore;
    },
    settled: sealing.settled,
    close: () => {
      if (!db.open) return;
      flushSamples();
      worker.close();
      db.close();
      claim?.release();
    },
  };
};

const unopened = (path: string, error: unknown): StoreError => {
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Database.SqliteError ? error.code : '';
  const found = code.startsWith('SQLITE_NOTADB')
    ? 'is not an SQLite database; expected one that Signalbox made'
    : `cannot be opened: ${reason}`;
  return new StoreError(`${path} ${found}`, { cause: error });
};
