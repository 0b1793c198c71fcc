import { closeSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Store } from '../core/ports.ts';
import { createAlerts } from './alerts.ts';
import { createAttempts } from './attempts.ts';
import { type Claim, claimDatabase } from './claim.ts';
import { createClasses } from './classes.ts';
import { createEpochs } from './epochs.ts';
import { createEvents } from './events.ts';
import { createGpus } from './gpus.ts';
import { createHistory } from './history.ts';
import { createHosts } from './hosts.ts';
import { createLogLines } from './log-lines.ts';
import { migrate } from './migrate.ts';
import { createObserveOutput } from './observe-output.ts';
import { createObserveRun } from './observe-run.ts';
import { createOutputs } from './outputs.ts';
import { createPhases } from './phases.ts';
import { createPrune } from './prune.ts';
import { createPutOff } from './put-off.ts';
import { createRuleStates } from './rule-states.ts';
import { createRunProcesses } from './run-processes.ts';
import { createRuns } from './runs.ts';
import { createSamples } from './samples.ts';
import { createSteps } from './steps.ts';
import { StoreError } from './store-error.ts';
import { createTransactions } from './transaction.ts';

/**
 * Opens a database for writing; made, with its folder, when there is none, and brought up to the newest schema.
 * `path` may be `:memory:`; `migrations` is the folder of the `NNNN-….sql`. Throws {@link StoreError} when another
 * process writes it, when it is newer than this code or not ours, and when it is damaged or cannot be opened.
 */
export const openStore = ({ path, migrations }: { readonly path: string; readonly migrations: string }): Store => {
  let claim: Claim | null = null;
  let db: Database.Database | null = null;
  try {
    const isFile = path !== ':memory:';
    const name = isFile ? realNameOf(path) : path;
    if (isFile) claim = claimDatabase(name);
    db = openDatabase(name);
    migrate(db, migrations);
    return createStore(db, claim);
  } catch (error) {
    db?.close();
    claim?.release();
    throw error instanceof StoreError ? error : unopened(path, error);
  }
};

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
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('foreign_keys = ON');
  db.pragma('cache_size = -16384');
  db.pragma('journal_size_limit = 67108864');
  // Checkpoints wait for the disk: they are prune's work, not that of the row that happens to fill the log. This is a
  // limit for when nobody prunes: 32 MiB.
  db.pragma('wal_autocheckpoint = 8000');
  return db;
};

const createStore = (db: Database.Database, claim: Claim | null): Store => {
  const samples = createSamples(db);
  const transactions = createTransactions(db, { beforeCommit: samples.writeIfDue, afterCommit: samples.dropWritten });
  const transaction = transactions.run;
  const runs = createRuns(db);
  const attempts = createAttempts(db);
  const epochs = createEpochs(db);
  const gpus = createGpus(db, samples.latest);
  const hosts = createHosts(db, samples.latest);
  const runProcesses = createRunProcesses();
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
  const prune = createPrune({ db, samples });
  const size = db.prepare<[], number>('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size').pluck();

  const writeSamplesIfDue = () => {
    if (samples.isDue()) transaction(() => {});
  };
  const flushSamples = () => {
    samples.askForWrite();
    writeSamplesIfDue();
  };

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
    listClasses: classes.listClasses,
    listPhases: phases.listPhases,
    logTail: logLines.logTail,
    outputsOf: outputs.outputsOf,
    listGpus: gpus.listGpus,
    listHosts: hosts.listHosts,
    listRunProcesses: runProcesses.listRunProcesses,
    history: createHistory(samples),
    samplesSince: samples.since,
    listAlerts: alerts.listAlerts,
    getAlert: alerts.getAlert,
    openAlerts: alerts.openAlerts,
    ruleStates: ruleStates.ruleStates,
    health: () => ({ path: db.name, bytes: size.get() ?? 0, writable: transactions.writable() }),

    transaction,
    observeRun: (...look) => transaction(() => observeRun(...look)),
    observeOutput: (...look) => transaction(() => observeOutput(...look)),
    settle: (...how) => transaction(() => runs.settle(...how)),
    saveRun: (run) => transaction(() => runs.saveRun(run)),
    saveGpus: (list, now) => transaction(() => gpus.saveGpus(list, now)),
    setGpuUse: gpus.setGpuUse,
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
    prune: (now) => {
      const more = transaction(() => prune(now));
      db.pragma('wal_checkpoint(PASSIVE)');
      return more;
    },
    close: () => {
      if (!db.open) return;
      flushSamples();
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
    : code.startsWith('SQLITE_CORRUPT')
      ? `is damaged (${reason}); move it away, or restore a copy`
      : `cannot be opened: ${reason}`;
  return new StoreError(`${path} ${found}`, { cause: error });
};
