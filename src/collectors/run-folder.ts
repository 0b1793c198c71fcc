import type { BigIntStats } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ObservedRun } from '../core/batch.ts';
import type { Log } from '../core/log.ts';
import type { Batch, Collector } from '../core/ports.ts';
import { MAX_ARGS_BYTES, parseArgs } from './args-yaml.ts';
import { accessFor, patientAccess, READ_WITHOUT_WAITING } from './file-access.ts';
import { fileOrNull, isMissing, isSameFile, isUnchanged, statOrNull } from './file-stat.ts';
import { createResultsTailer, type TailLook } from './results-tailer.ts';
import { ARGS_FILES, isWrittenByTraining, RESULT_FILES } from './run-files.ts';

/** The name of the collector of one run folder. */
export const runCollectorName = (path: string): string => `run ${path}`;

const EVERY_MS = 2000;
const TIMEOUT_MS = 10_000;
const RESULTS_PNG = 'results.png';

/** What a look at everything but the result file finds. */
type Facts = Pick<ObservedRun, 'folder' | 'args' | 'argsAt' | 'resultsPngAt' | 'activityAt'>;

/**
 * Looks at one run folder. One look is one `ObservedRun`; none while the folder is not there, or when it is as it was. A hint that the result
 * file changed reads that file and nothing else, so that a new epoch is on its way within a millisecond; a poll, or a
 * hint of the arguments or of `results.png`, looks at everything; hints of other files wait for the poll.
 */
export const createRunFolderCollector = (path: string, { log }: { readonly log: Log }): Collector => {
  const args = createArgsReader(path, log);
  let tailer = createResultsTailer(join(path, 'results.csv'));
  let identity: BigIntStats | null = null;
  let facts: Facts | null = null;
  let quickest = patientAccess;
  let saidKeptOut: string | null = null;
  /** What the last look said, without its rows. */
  let said: Omit<ObservedRun, 'rows'> | null = null;

  const lookAtFolder = async (): Promise<Facts | null> => {
    const folder = await statOrNull(path);
    if (folder === null) return null;
    if (!isSameFile(identity, folder)) {
      tailer = createResultsTailer(join(path, 'results.csv'));
      quickest = await accessFor(path);
      identity = folder;
    }
    const files = await statTrainingFiles(path);
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
      if (reason === 'nothing') return {};
      if (reason === 'everything') facts = await lookAtFolder();
      if (facts === null) return {};
      const look = await tailer.look(signal, reason === 'results' ? quickest : patientAccess);
      reportKeptOut(look);
      const { results, rows } = look;
      const activityAt = Math.max(facts.activityAt, results?.mtimeAt ?? 0);
      const found = { path, ...facts, activityAt, results };
      if (rows.length === 0 && isDeepStrictEqual(found, said)) return {};
      said = found;
      return { runs: [{ ...found, rows }] };
    },
    startOver: () => {
      said = null;
      tailer.startOver();
    },
  };
};

const reasonOf = (hints: readonly string[] | undefined): 'everything' | 'results' | 'nothing' => {
  if (hints === undefined) return 'everything';
  const names = hints.map((hint) => basename(hint));
  if (names.some((name) => name === RESULTS_PNG || isOneOf(ARGS_FILES, name))) return 'everything';
  return names.some((name) => isOneOf(RESULT_FILES, name)) ? 'results' : 'nothing';
};

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name);

/** The stats of the files that a training writes, checkpoints included, by their path in the folder. */
const statTrainingFiles = async (folder: string): Promise<ReadonlyMap<string, BigIntStats>> => {
  const names = (await readdir(folder)).filter(isWrittenByTraining);
  const files = new Map<string, BigIntStats>();
  for (const name of [...names, join('weights', 'last.pt'), join('weights', 'best.pt')]) {
    const found = await fileOrNull(join(folder, name));
    if (found !== null) files.set(name, found);
  }
  return files;
};

type Args = Pick<Facts, 'args' | 'argsAt'>;

/** Reads the arguments again only when their file changed. A broken one is said once and costs the run its arguments. */
const createArgsReader = (folder: string, log: Log) => {
  let seen: BigIntStats | null = null;
  let current: Args = { args: null, argsAt: null };
  return async (files: ReadonlyMap<string, BigIntStats>): Promise<Args> => {
    const name = ARGS_FILES.find((file) => files.has(file));
    const found = name === undefined ? undefined : files.get(name);
    if (name === undefined || found === undefined) return { args: null, argsAt: null };
    if (isUnchanged(seen, found)) return current;
    const path = join(folder, name);
    const { args, problem } = await readArgs(path, found);
    if (problem !== null) log.warn({ path, problem }, 'an args file cannot be read');
    current = { args, argsAt: mtimeAt(found) };
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
