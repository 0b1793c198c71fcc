import type { BigIntStats } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ObservedRun } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../core/log.ts';
import type { Batch, Collector } from '../../core/ports.ts';
import { accessFor, patientAccess, READ_WITHOUT_WAITING } from '../file/access.ts';
import { fileOrNull, isMissing, isSameFile, isUnchanged, statOrNull } from '../file/stat.ts';
import { createFolderOutputs } from '../log/folder.ts';
import { logCandidates } from '../log/names.ts';
import { createResultsTailer, type TailLook } from '../results/tailer.ts';
import { MAX_ARGS_BYTES, parseArgs, withHyperparameters } from './args-yaml.ts';
import { ARGS_FILES, HYP_FILE, isWrittenByTraining, type ResultFile } from './files.ts';
import { SIDECAR_FILE } from './sidecar.ts';

/** The name of the collector of one run folder. */
export const runCollectorName = (path: string): string => `run ${path}`;

const EVERY_MS = 2000;
const TIMEOUT_MS = 10_000;
const GONE_AFTER_MS = 30_000;
const OUTPUTS_EVERY_MS = 500;
const RESULTS_PNG = 'results.png';

/** What a look at everything but the result file and the outputs finds. */
type Facts = Pick<ObservedRun, 'folder' | 'args' | 'argsAt' | 'resultsPngAt' | 'activityAt'>;

/**
 * Looks at one run folder. One look is one `ObservedRun` and what its outputs say; none while the folder is not there,
 * or when it is as it was. A hint that the result file changed reads that file and nothing else, so that a new epoch is
 * on its way within a millisecond; a hint of an output reads the outputs; a poll, or a hint of the arguments or of
 * `results.png`, looks at everything; hints of other files wait for the poll.
 */
export const createRunFolderCollector = (
  path: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Collector => {
  const args = createArgsReader(path, log);
  const outputs = createFolderOutputs(path, { now: clock.now, log });
  let names: readonly string[] = [];
  let goneAt: number | null = null;
  let outputsReadAt = Number.NEGATIVE_INFINITY;
  let resultFile: ResultFile = 'results.csv';
  let hasHadCsv = false;
  let tailer = createResultsTailer(join(path, resultFile));
  let identity: BigIntStats | null = null;
  let facts: Facts | null = null;
  let quickest = patientAccess;
  let saidKeptOut: string | null = null;
  /** What the last look said, without its rows. */
  let said: Omit<ObservedRun, 'rows'> | null = null;

  const tail = (file: ResultFile) => {
    resultFile = file;
    tailer = createResultsTailer(join(path, file));
  };

  const lookAtFolder = async (): Promise<Facts | null> => {
    const folder = await statOrNull(path);
    if (folder === null) return null;
    if (!isSameFile(identity, folder)) {
      tail('results.csv');
      hasHadCsv = false;
      quickest = await accessFor(path);
      identity = folder;
    }
    names = await readdir(path);
    const files = await statTrainingFiles(path, names);
    // A csv says in its header what is in it; a results.txt beside one is older, or somebody's own text. A csv that was
    // here is not given up for the other: a re-run takes it away for a moment.
    hasHadCsv ||= files.has('results.csv');
    const chosen = hasHadCsv ? 'results.csv' : files.has('results.txt') ? 'results.txt' : resultFile;
    if (chosen !== resultFile) tail(chosen);
    const written = [...files.values()].map((file) => Number(file.mtimeMs));
    return {
      folder: {
        device: Number(folder.dev),
        inode: Number(folder.ino),
        bornAt: folder.birthtimeMs > 0n ? Number(folder.birthtimeMs) : null,
      },
      ...(await args(files)),
      resultsPngAt: mtimeAt(files.get(RESULTS_PNG)),
      activityAt: written.length > 0 ? Math.max(...written) : Number(folder.mtimeMs),
    };
  };

  /** The folder is not there. One that was moved is found elsewhere before this is said. */
  const goneBatch = (): Batch => {
    if (said === null) return {};
    goneAt ??= clock.now();
    return clock.now() - goneAt >= GONE_AFTER_MS ? { goneFolders: [path] } : {};
  };

  /** A bar is redrawn ten times a second: hints of it are heeded now and then. */
  const readOutputs = async (signal: AbortSignal): Promise<Batch> => {
    outputsReadAt = performance.now();
    const { outputs: heard, hasMore } = await outputs.look(signal, names);
    return { ...(heard.length > 0 && { outputs: heard }), ...(hasMore && { hasMore }) };
  };

  const reasonOf = (hints: readonly string[] | undefined): Reason => {
    if (hints === undefined) return 'everything';
    const reasons = new Set(hints.map((hint) => reasonOfHint(basename(hint), resultFile)));
    if (reasons.has('outputs') && performance.now() - outputsReadAt < OUTPUTS_EVERY_MS) reasons.delete('outputs');
    return REASONS.find((reason) => reasons.has(reason)) ?? 'nothing';
  };

  const reportKeptOut = ({ results }: TailLook) => {
    if (results === null || results.rowsKeptOut === 0 || results.generation === saidKeptOut) return;
    saidKeptOut = results.generation;
    log.warn({ path, rowsKeptOut: results.rowsKeptOut }, 'rows of a result file are not in the series');
  };

  return {
    name: runCollectorName(path),
    when: { everyMs: EVERY_MS, folder: path },
    timeoutMs: TIMEOUT_MS,
    collect: async (signal, hints): Promise<Batch> => {
      const reason = facts === null ? 'everything' : reasonOf(hints);
      if (reason === 'outputs') return await readOutputs(signal);
      if (reason === 'nothing') return {};
      if (reason === 'everything') facts = await lookAtFolder();
      if (facts === null) return goneBatch();
      goneAt = null;
      const look = await tailer.look(signal, reason === 'results' ? quickest : patientAccess);
      reportKeptOut(look);
      const { results, rows } = look;
      const activityAt = Math.max(facts.activityAt, results?.mtimeAt ?? 0);
      const found = { path, ...facts, activityAt, results };
      const heard = reason === 'everything' ? await readOutputs(signal) : {};
      if (rows.length === 0 && isDeepStrictEqual(found, said)) return heard;
      said = found;
      return { runs: [{ ...found, rows }], ...heard };
    },
    startOver: () => {
      said = null;
      outputs.startOver();
      tailer.startOver();
    },
  };
};

/** What a look is for, the most urgent first: a row waits for nothing; what is passed over, the next poll finds. */
const REASONS = ['everything', 'results', 'outputs'] as const;
type Reason = (typeof REASONS)[number] | 'nothing';

const reasonOfHint = (name: string, resultFile: ResultFile): Reason => {
  if (name === resultFile) return 'results';
  if ([RESULTS_PNG, HYP_FILE, 'results.csv', ...ARGS_FILES].includes(name)) return 'everything';
  return name === SIDECAR_FILE || logCandidates([name]).length > 0 ? 'outputs' : 'nothing';
};

/** The stats of the files that a training writes, checkpoints included, by their path in the folder. */
const statTrainingFiles = async (
  folder: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, BigIntStats>> => {
  const files = new Map<string, BigIntStats>();
  const checkpoints = names.includes('weights') ? [join('weights', 'last.pt'), join('weights', 'best.pt')] : [];
  for (const name of [...names.filter(isWrittenByTraining), ...checkpoints]) {
    const found = await fileOrNull(join(folder, name));
    if (found !== null) files.set(name, found);
  }
  return files;
};

type Args = Pick<Facts, 'args' | 'argsAt'>;

/** Reads the arguments again only when their files changed. A broken one is said once and costs the run what is in it. */
const createArgsReader = (folder: string, log: Log) => {
  const opt = createArgsFile(folder, log);
  const hyp = createArgsFile(folder, log);
  return async (files: ReadonlyMap<string, BigIntStats>): Promise<Args> => {
    const name = ARGS_FILES.find((file) => files.has(file));
    if (name === undefined) return { args: null, argsAt: null };
    const args = await opt(name, files.get(name));
    const hyperparameters = name === 'opt.yaml' ? await hyp(HYP_FILE, files.get(HYP_FILE)) : null;
    return { args: args && withHyperparameters(args, hyperparameters), argsAt: mtimeAt(files.get(name)) };
  };
};

/** Reads one args file again only when it changed; null when it is not there or cannot be read. */
const createArgsFile = (folder: string, log: Log) => {
  let seen: BigIntStats | null = null;
  let current: Args['args'] = null;
  return async (name: string, found: BigIntStats | undefined): Promise<Args['args']> => {
    if (found === undefined) return null;
    if (isUnchanged(seen, found)) return current;
    const path = join(folder, name);
    const { args, problem } = await readArgs(path, found);
    if (problem !== null) log.warn({ path, problem }, 'an args file cannot be read');
    current = args;
    seen = found;
    return current;
  };
};

const readArgs = async (path: string, found: BigIntStats) => {
  if (found.size > MAX_ARGS_BYTES) return { args: null, problem: `expected at most ${MAX_ARGS_BYTES} bytes` };
  try {
    return parseArgs(await readFile(path, { encoding: 'utf8', flag: READ_WITHOUT_WAITING }));
  } catch (error) {
    // Rewritten by a resume at this moment: the next look finds it.
    if (isMissing(error)) return { args: null, problem: null };
    throw error;
  }
};

const mtimeAt = (file: BigIntStats | undefined): number | null => (file ? Number(file.mtimeMs) : null);
