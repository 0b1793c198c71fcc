import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { askedProject, isInside } from '../../core/attribution-facts.ts';
import type { ObservedProcess, ObservedUnwatched } from '../../core/batch.ts';
import type { Collector } from '../../core/ports.ts';
import { kindOfCommand } from '../../core/run-command.ts';
import { writtenFoldersOf } from './facts.ts';

export type UnwatchedOptions = {
  readonly procfs: string;
  /** The watched roots. */
  readonly roots: readonly string[];
  /** The GPU processes that belong to no run. */
  readonly strangers: () => readonly ObservedProcess[];
  readonly now: () => number;
};

const LOOK_EVERY_MS = 5000;
/** Where a training works shows within its first minutes; after that it is asked again now and then. */
const AGAIN_AFTER_MS = 30_000;
/** Files that make a folder a run's: those that its trainer writes there. */
const RUN_FILES = ['results.csv', 'results.txt', 'args.yaml', 'opt.yaml'] as const;
/** A file's time may be rounded down, or another machine's. */
const CLOCK_SLACK_MS = 2000;
const MAX_FOLDERS = 200;

type Found = { readonly startedAt: number | null; readonly folder: string | null; readonly againAt: number };

/**
 * Trainings on our GPUs that write below none of the watched folders, each with the folder to watch. Only what looks like
 * a training for certain is told: Python that holds files of a run folder open for writing, or whose command trains and
 * names its project, or trains where a run folder appeared since it began. One process is asked at a time: its folder may
 * lie on a network disk that hangs, and then it is the only one that waits.
 */
export const createUnwatchedTrainings = ({ procfs, roots, strangers, now }: UnwatchedOptions): Collector => {
  let known: ReadonlyMap<number, Found> = new Map();
  let pending: Promise<void> | null = null;

  const look = async (processes: readonly ObservedProcess[]): Promise<void> => {
    const found = new Map<number, Found>();
    const watched = await withRealPaths(roots);
    for (const process of processes) {
      const { pid, startedAt } = process;
      const before = known.get(pid);
      if (before !== undefined && before.startedAt === startedAt && now() < before.againAt) {
        found.set(pid, before);
        continue;
      }
      const folder = await projectOf(process, procfs);
      const isWatched = folder === null || watched.some((root) => isInside(folder, root));
      found.set(pid, { startedAt, folder: isWatched ? null : folder, againAt: now() + AGAIN_AFTER_MS });
    }
    known = found;
  };

  return {
    name: 'unwatched-trainings',
    when: { everyMs: LOOK_EVERY_MS },
    timeoutMs: 20_000,
    collect: async () => {
      const processes = [...new Map(strangers().map((process) => [process.pid, process])).values()];
      if (processes.length === 0 && known.size === 0) return {};
      pending ??= look(processes).finally(() => {
        pending = null;
      });
      await pending;
      const unwatched = [...known].flatMap(([pid, { startedAt, folder }]): readonly ObservedUnwatched[] =>
        folder === null ? [] : [{ pid, startedAt, folder }],
      );
      return { unwatched };
    },
  };
};

/** A process knows its folder by its real path, whatever the name that it is watched by. */
const withRealPaths = async (roots: readonly string[]): Promise<readonly string[]> => {
  const paths = new Set(roots);
  for (const root of roots) {
    const real = await ifThere(() => realpath(root));
    if (real !== null) paths.add(real);
  }
  return [...paths];
};

/** The folder that the runs of this process lie in; null where it is no training for certain, or nobody can say. */
const projectOf = async (process: ObservedProcess, procfs: string): Promise<string | null> => {
  const kind = kindOfCommand(process.command);
  if (kind === 'other') return null;
  for (const folder of writtenFoldersOf(process.pid, procfs)) {
    const run = basename(folder) === 'weights' ? dirname(folder) : folder;
    if (await isRunFolder(run, process.startedAt)) return dirname(run);
  }
  if (kind !== 'training') return null;
  return askedProject(process) ?? (await newProjectBelow(process));
};

/** Where trainers put their runs unless told otherwise: `runs/train` of YOLOv5, `runs/detect` … of Ultralytics. */
const newProjectBelow = async ({ cwd, startedAt }: ObservedProcess): Promise<string | null> => {
  if (cwd === null || startedAt === null) return null;
  const runs = join(cwd, 'runs');
  for (const project of await foldersIn(runs)) {
    for (const run of await foldersIn(project)) if (await isRunFolder(run, startedAt)) return project;
  }
  return null;
};

/** Whether a trainer has written in this folder since a process began. */
const isRunFolder = async (folder: string, since: number | null): Promise<boolean> => {
  for (const name of RUN_FILES) {
    const file = await ifThere(() => stat(join(folder, name)));
    if (file?.isFile() && since !== null && file.mtimeMs >= since - CLOCK_SLACK_MS) return true;
  }
  return false;
};

const foldersIn = async (folder: string): Promise<readonly string[]> => {
  const entries = (await ifThere(() => readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isDirectory())
    .slice(0, MAX_FOLDERS)
    .map(({ name }) => join(folder, name));
};

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EIO', 'ESTALE']);

const ifThere = async <T>(look: () => Promise<T>): Promise<T | null> => {
  try {
    return await look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_THERE.has(String(error.code))) return null;
    throw error;
  }
};
