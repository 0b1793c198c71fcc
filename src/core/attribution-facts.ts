import type { ObservedCandidate } from './batch.ts';

/** What is needed of an active run to find its processes and GPUs. */
export type RunOnHost = {
  readonly id: string;
  readonly path: string;
  /** When its newest attempt began, as far as its files say. */
  readonly startedAt: number | null;
  readonly args: Readonly<Record<string, unknown>> | null;
  /** The processes that are known to do its work: it said so itself, `signalbox run` started them, or they were matched. */
  readonly processes?: readonly ProcessOfRun[];
  /** The variables that its process was started with, as far as they are known. */
  readonly environment?: Readonly<Record<string, string>> | null;
};

/** A process that is known to do a run's work: the one of this pid that began between the two moments. */
export type ProcessOfRun = {
  readonly pid: number;
  readonly beganFrom: number;
  readonly beganTo: number;
  /** It certainly ran on this host; else its pid may be another host's until it was seen alive. */
  readonly recorded: boolean;
  readonly seenAliveAt: number | null;
  readonly goneAt: number | null;
  /** How sure it is that it is the run's, 0 to 1. */
  readonly confidence?: number;
};

/** Which run a process belongs to, and how sure that is (0 to 1). */
export type ProcessMatch = { readonly run: string; readonly confidence: number; readonly startedAt: number | null };

/** Confidence by the surest fact that names the run; a process that is known by its pid has that of who told of it. */
export const OPEN_FILE = 0.95;
export const COMMAND_LINE = 0.8;
export const WORKING_FOLDER = 0.6;
/** It began with the run and works in the same place, but says nothing of a training. */
export const SAME_PLACE = 0.5;
/** Who is told by its parents, or by other processes of its job, is a little less sure than these are. */
const KIN = 0.97;

/**
 * A training writes its run folder within minutes of its own start (imports, a data set that is fetched or scanned);
 * clocks and time stamps need some room on the other side. Who began long before only works in the same folder.
 */
const STARTED_BEFORE_MS = 30 * 60_000;
const STARTED_AFTER_MS = 60_000;
/** Of two runs a process began with the nearer one, if the other is so much farther off: twice as far, and this. */
const CLEARLY_NEARER_MS = 10_000;

/** Whether a process that began at one moment may do the work of an attempt that began at another, by its files. */
export const beganWith = (processAt: number, runAt: number | null): boolean =>
  runAt !== null && processAt <= runAt + STARTED_AFTER_MS && processAt >= runAt - STARTED_BEFORE_MS;

/** A match by what is told of kin: a parent, or a process of the same job. */
export const asKin = ({ run, confidence }: ProcessMatch, { startedAt }: ObservedCandidate): ProcessMatch => ({
  run,
  confidence: Math.round(confidence * KIN * 100) / 100,
  startedAt,
});

/**
 * Joins what a process shows itself with what its kin is. A working folder is no reason against kin; but where a file, a
 * command or its own pid says another run, neither is believed.
 */
export const join = (own: ProcessMatch | null, kin: ProcessMatch | null): ProcessMatch | null => {
  if (own === null || kin === null) return own ?? kin;
  if (own.run === kin.run) return own.confidence >= kin.confidence ? own : kin;
  return own.confidence < COMMAND_LINE ? kin : null;
};

/** The run that a process is known to work for, or one of its parents: the nearest that anybody knows. */
export const matchKnown = (process: ObservedCandidate, runs: readonly RunOnHost[]): ProcessMatch | null => {
  const { pid, startedAt, parents = [] } = process;
  const itself = matchesOf(runs, startedAt, (known) => isOne(known, pid, startedAt));
  if (itself.length > 0) return only(itself);
  for (const parent of parents) {
    const found = matchesOf(runs, startedAt, (known) => known.pid === parent && isThere(known));
    if (found.length > 0) return found.length === 1 && found[0] !== undefined ? asKin(found[0], process) : null;
  }
  return null;
};

const matchesOf = (
  runs: readonly RunOnHost[],
  startedAt: number | null,
  isMeant: (known: ProcessOfRun) => boolean,
): readonly ProcessMatch[] =>
  runs.flatMap(({ id, processes = [] }) => {
    const known = processes.find(isMeant);
    return known === undefined ? [] : { run: id, confidence: known.confidence ?? SAME_PLACE, startedAt };
  });

const isOne = (known: ProcessOfRun, pid: number, startedAt: number | null): boolean =>
  known.pid === pid &&
  isThere(known) &&
  startedAt !== null &&
  startedAt >= known.beganFrom &&
  startedAt <= known.beganTo;

const isThere = ({ recorded, seenAliveAt, goneAt }: ProcessOfRun): boolean =>
  goneAt === null && (recorded || seenAliveAt !== null);

/** The run that a process shows to be its own by what it holds open, was told and where it works; null: none, or several. */
export const matchByFacts = (
  process: ObservedCandidate,
  runs: readonly RunOnHost[],
  mayBe: (run: RunOnHost) => boolean,
): ProcessMatch | null => {
  const { startedAt, cwd } = process;
  const single = (matching: readonly RunOnHost[], confidence: number): ProcessMatch | null =>
    only(matching.map(({ id }) => ({ run: id, confidence, startedAt })));
  const holdsOpen = runs.filter((run) => process.openFolders.some((folder) => isInside(folder, run.path)));
  if (holdsOpen.length > 0) return single(holdsOpen, OPEN_FILE);

  // Where it is told to write says more than what else it names: it may begin from another run's weights.
  const asked = askedFolder(process);
  const inAsked = asked === null ? [] : runs.filter((run) => isAsAsked(run.path, asked));
  if (inAsked.length > 0) return startedAt === null ? null : single(nearest(inAsked, startedAt), COMMAND_LINE);
  const named = runs.filter(
    (run) =>
      names(process.command ?? '', run.path) &&
      (startedAt === null || run.startedAt === null || beganWith(startedAt, run.startedAt)),
  );
  if (named.length > 0) return single(named, COMMAND_LINE);
  if (startedAt === null || cwd === null || cwd === '/') return null;
  return single(
    nearest(
      runs.filter((run) => isInside(run.path, cwd) && mayBe(run)),
      startedAt,
    ),
    WORKING_FOLDER,
  );
};

const only = (matches: readonly ProcessMatch[]): ProcessMatch | null => {
  const [match, ...others] = matches;
  return match !== undefined && others.length === 0 ? match : null;
};

/** Of the runs that the process may have begun with, those that are not clearly farther off than the nearest. */
const nearest = (runs: readonly RunOnHost[], startedAt: number): readonly RunOnHost[] => {
  const apart = (run: RunOnHost) => Math.abs((run.startedAt ?? 0) - startedAt);
  const begun = runs.filter((run) => beganWith(startedAt, run.startedAt));
  const least = Math.min(...begun.map(apart));
  return begun.filter((run) => apart(run) === least || apart(run) < 2 * least + CLEARLY_NEARER_MS);
};

/** The run folder that `project=P name=N` or `--project P --name N` asks for; null where not both are there. */
const askedFolder = (process: ObservedCandidate): string | null => {
  const project = askedProject(process);
  const name = optionOf(process.command, 'name');
  return project === null || name === undefined ? null : `${project}/${name}`;
};

/** The folder for runs that a command asks for, absolute; null where it names none, or nobody knows from where. */
export const askedProject = ({ command, cwd }: Pick<ObservedCandidate, 'command' | 'cwd'>): string | null => {
  const project = optionOf(command, 'project')?.replace(/^(\.\/)+|\/+$/g, '');
  if (project === undefined || project === '') return null;
  if (project.startsWith('/')) return project;
  return cwd === null ? null : `${cwd}/${project}`;
};

const optionOf = (command: string | null, option: string): string | undefined =>
  new RegExp(`(?:^|\\s)(?:--)?${option}[=\\s](\\S+)`).exec(command ?? '')?.[1];

/** A trainer puts a number behind the name of a folder that is there already: `exp2`, `exp-2`. */
const isAsAsked = (path: string, asked: string): boolean =>
  path.startsWith(asked) && /^(-?\d+)?$/.test(path.slice(asked.length));

/** Whether a command line holds this path, or something in it: not another one that begins alike. */
const names = (command: string, path: string): boolean => {
  for (let at = command.indexOf(path); at >= 0; at = command.indexOf(path, at + 1)) {
    const next = command[at + path.length];
    if (next === undefined || /[\s/'":,;]/.test(next)) return true;
  }
  return false;
};

/** Whether a path is this folder or lies below it. */
export const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
