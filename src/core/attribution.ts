import type { ObservedCandidate, ObservedProcess } from './batch.ts';
import { kindOfCommand } from './run-command.ts';

/** What is needed of an active run to find its processes and GPUs. */
export type RunOnHost = {
  readonly id: string;
  readonly path: string;
  /** When its newest attempt began, as far as its files say. */
  readonly startedAt: number | null;
  readonly args: Readonly<Record<string, unknown>> | null;
};

/** A GPU's place in today's order. */
export type GpuPlace = { readonly uuid: string; readonly index: number };

/** Which run a process belongs to, and how sure that is (0 to 1). */
export type ProcessMatch = { readonly run: string; readonly confidence: number; readonly startedAt: number | null };

export type Attribution = {
  /** By run: its GPUs (UUIDs, by index) and the pids that were matched to it. */
  readonly runs: ReadonlyMap<string, { readonly gpus: readonly string[]; readonly pids: readonly number[] }>;
  /** By GPU: the run that it belongs to; a GPU that is missing belongs to none or to more than one. */
  readonly gpus: ReadonlyMap<string, string>;
  readonly processes: ReadonlyMap<number, ProcessMatch>;
};

/**
 * Which GPU belongs to which run: by a process of the run that holds memory on it, else by `device` in the run's
 * args. A GPU that two runs lay claim to belongs to neither: rules then say no-data instead of guessing.
 * `processes` is null where they cannot be known (no permission, a container without the host's pids). A process stays
 * with the run that it was `known` to belong to for as long as both live: what comes later must not take it away.
 */
export const attributeGpus = (
  runs: readonly RunOnHost[],
  gpus: readonly GpuPlace[],
  processes: readonly ObservedProcess[] | null,
  known: ReadonlyMap<number, ProcessMatch> = new Map(),
): Attribution => {
  const matches = new Map<number, ProcessMatch>();
  for (const process of processes ?? []) {
    const before = known.get(process.pid);
    const stays = before?.startedAt === process.startedAt && runs.some((run) => run.id === before.run);
    const match = stays ? before : matchProcess(process, runs, (run) => mayUse(run, process.gpuUuid, gpus));
    if (match !== null) matches.set(process.pid, match);
  }

  const claims = new Map<string, Set<string>>();
  const claim = (uuid: string, run: string) => claims.set(uuid, (claims.get(uuid) ?? new Set()).add(run));
  const pids = new Map<string, Set<number>>();
  for (const process of processes ?? []) {
    const match = matches.get(process.pid);
    if (match === undefined) continue;
    claim(process.gpuUuid, match.run);
    pids.set(match.run, (pids.get(match.run) ?? new Set()).add(process.pid));
  }
  const held = new Set(claims.keys());
  for (const run of runs) {
    if (pids.has(run.id)) continue;
    for (const uuid of devicesOf(run.args, gpus)) if (!held.has(uuid)) claim(uuid, run.id);
  }

  const owner = new Map<string, string>();
  for (const [uuid, claimants] of claims) {
    const [only, ...others] = claimants;
    if (only !== undefined && others.length === 0) owner.set(uuid, only);
  }
  const inOrder = [...gpus].sort((a, b) => a.index - b.index).map((gpu) => gpu.uuid);
  return {
    gpus: owner,
    processes: matches,
    runs: new Map(
      runs.map((run) => [
        run.id,
        {
          gpus: inOrder.filter((uuid) => owner.get(uuid) === run.id),
          pids: [...(pids.get(run.id) ?? [])].sort((a, b) => a - b),
        },
      ]),
    ),
  };
};

/** The process that does a run's work, as far as one is found outside of any GPU. */
export type CandidateMatch = ProcessMatch & { readonly pid: number };

/**
 * Which of these processes does which run's work, by the rules that GPU processes are matched by, and more: where no GPU
 * memory shows that it computes, to name a run folder proves nothing (an editor, `tail`, TensorBoard do it too). It has
 * to be Python and to have begun when the run did; `openFolders` are those that it writes into; and unless it writes into
 * the run folder, a command that says `train` is believed more than one that does not. At most one process a run: workers
 * are copies of the training that began later, so the surest and of those the first is the training itself.
 */
export const matchCandidates = (
  runs: readonly RunOnHost[],
  candidates: readonly ObservedCandidate[],
): ReadonlyMap<string, CandidateMatch> => {
  const matches = new Map<string, CandidateMatch>();
  for (const candidate of candidates) {
    const match = matchCandidate(candidate, runs);
    if (match === null) continue;
    const before = matches.get(match.run);
    if (before === undefined || isSurer(match, before)) matches.set(match.run, match);
  }
  return matches;
};

const matchCandidate = (candidate: ObservedCandidate, runs: readonly RunOnHost[]): CandidateMatch | null => {
  const { pid, startedAt } = candidate;
  const kind = kindOfCommand(candidate.command);
  if (kind === 'other' || startedAt === null) return null;
  const begun = runs.filter((run) => beganWith(startedAt, run.startedAt));
  const match = matchProcess(candidate, begun, () => true);
  if (match === null) return null;
  const quiet = kind === 'python' && match.confidence < OPEN_FILE;
  return { ...match, pid, confidence: quiet ? Math.min(match.confidence, SAME_PLACE) : match.confidence };
};

const isSurer = (a: CandidateMatch, b: CandidateMatch): boolean =>
  a.confidence > b.confidence || (a.confidence === b.confidence && (a.startedAt ?? 0) < (b.startedAt ?? 0));

const OPEN_FILE = 0.95;
const COMMAND_LINE = 0.8;
const WORKING_FOLDER = 0.6;
/** It began with the run and works in the same place, but says nothing of a training. */
const SAME_PLACE = 0.5;
/**
 * A training writes its run folder within minutes of its own start (imports, a data set that is fetched or scanned);
 * clocks and time stamps need some room on the other side. Who began long before only works in the same folder.
 */
const STARTED_BEFORE_MS = 30 * 60_000;
const STARTED_AFTER_MS = 60_000;

const matchProcess = (
  process: ObservedCandidate,
  runs: readonly RunOnHost[],
  mayBe: (run: RunOnHost) => boolean,
): ProcessMatch | null => {
  const { startedAt } = process;
  const single = (matching: readonly RunOnHost[], confidence: number): ProcessMatch | null => {
    const [run, ...others] = matching;
    return run !== undefined && others.length === 0 ? { run: run.id, confidence, startedAt } : null;
  };
  const holdsOpen = runs.filter((run) => process.openFolders.some((folder) => isInside(folder, run.path)));
  if (holdsOpen.length > 0) return single(holdsOpen, OPEN_FILE);
  const named = runs.filter((run) => names(process.command ?? '', run.path));
  if (named.length > 0) return single(named, COMMAND_LINE);
  if (startedAt === null) return null;
  const nearest = (matching: readonly RunOnHost[], confidence: number): ProcessMatch | null => {
    const apart = (run: RunOnHost) => Math.abs((run.startedAt ?? 0) - startedAt);
    const begun = matching.filter((run) => beganWith(startedAt, run.startedAt));
    const least = Math.min(...begun.map(apart));
    return single(
      begun.filter((run) => apart(run) === least),
      confidence,
    );
  };
  const asked = askedFolder(process);
  const inAsked = asked === null ? [] : runs.filter((run) => isAsAsked(run.path, asked));
  if (inAsked.length > 0) return nearest(inAsked, COMMAND_LINE);
  const { cwd } = process;
  if (cwd === null || cwd === '/') return null;
  return nearest(
    runs.filter((run) => isInside(run.path, cwd) && mayBe(run)),
    WORKING_FOLDER,
  );
};

/** The run folder that `project=P name=N` or `--project P --name N` asks for; null where not both are there. */
const askedFolder = ({ command, cwd }: ObservedCandidate): string | null => {
  const optionOf = (option: string) => new RegExp(`(?:^|\\s)(?:--)?${option}[=\\s](\\S+)`).exec(command ?? '')?.[1];
  const project = optionOf('project')?.replace(/^(\.\/)+|\/+$/g, '');
  const name = optionOf('name');
  if (project === undefined || name === undefined) return null;
  if (project.startsWith('/')) return `${project}/${name}`;
  return cwd === null ? null : `${cwd}/${project}/${name}`;
};

/** A trainer puts a number behind the name of a folder that is there already: `exp2`, `exp-2`. */
const isAsAsked = (path: string, asked: string): boolean =>
  path.startsWith(asked) && /^(-?\d+)?$/.test(path.slice(asked.length));

/** Whether a process that began at one moment may do the work of an attempt that began at another, by its files. */
export const beganWith = (processAt: number, runAt: number | null): boolean =>
  runAt !== null && processAt <= runAt + STARTED_AFTER_MS && processAt >= runAt - STARTED_BEFORE_MS;

/** Whether the run's `device` allows this GPU; true where it names none. */
const mayUse = (run: RunOnHost, uuid: string, gpus: readonly GpuPlace[]): boolean => {
  const device = run.args?.device ?? null;
  return device === null || device === '' || devicesOf(run.args, gpus).includes(uuid);
};

/** Whether a command line holds this path, or something in it: not another one that begins alike. */
const names = (command: string, path: string): boolean => {
  for (let at = command.indexOf(path); at >= 0; at = command.indexOf(path, at + 1)) {
    const next = command[at + path.length];
    if (next === undefined || /[\s/'":,;]/.test(next)) return true;
  }
  return false;
};

const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** `device` as Ultralytics takes it: 0, "0,1", [0, 1], "cuda:0", "cpu"; without it the first GPU, if there is but one. */
const devicesOf = (args: RunOnHost['args'], gpus: readonly GpuPlace[]): readonly string[] => {
  const device = args?.device ?? null;
  if (device === null || device === '') return gpus.length === 1 ? gpus.map((gpu) => gpu.uuid) : [];
  const words = (Array.isArray(device) ? device : String(device).split(',')).map((word) =>
    String(word)
      .trim()
      .replace(/^cuda:?/, ''),
  );
  return gpus.filter((gpu) => words.includes(String(gpu.index))).map((gpu) => gpu.uuid);
};
