import type { ObservedProcess } from './batch.ts';

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
    const match = stays ? before : matchProcess(process, runs, gpus);
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

const OPEN_FILE = 0.95;
const COMMAND_LINE = 0.8;
const WORKING_FOLDER = 0.6;
/**
 * A training writes its run folder within minutes of its own start (imports, a data set that is fetched or scanned);
 * clocks and time stamps need some room on the other side. Who began long before only works in the same folder.
 */
const STARTED_BEFORE_MS = 30 * 60_000;
const STARTED_AFTER_MS = 60_000;

const matchProcess = (
  process: ObservedProcess,
  runs: readonly RunOnHost[],
  gpus: readonly GpuPlace[],
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
  const { cwd } = process;
  if (cwd === null || cwd === '/' || startedAt === null) return null;
  const below = runs.filter(
    (run) => isInside(run.path, cwd) && mayUse(run, process.gpuUuid, gpus) && beganWith(startedAt, run.startedAt),
  );
  const nearest = Math.min(...below.map((run) => Math.abs((run.startedAt ?? 0) - startedAt)));
  return single(
    below.filter((run) => Math.abs((run.startedAt ?? 0) - startedAt) === nearest),
    WORKING_FOLDER,
  );
};

const beganWith = (processAt: number, runAt: number | null): boolean =>
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
