import type { ObservedProcess } from './batch.ts';

/** What is needed of an active run to find its processes and GPUs. */
export type RunOnHost = {
  readonly id: string;
  readonly path: string;
  readonly startedAt: number | null;
  readonly args: Readonly<Record<string, unknown>> | null;
};

/** A GPU's place in today's order. */
export type GpuPlace = { readonly uuid: string; readonly index: number };

/** Which run a process belongs to, and how sure that is (0 to 1). */
export type ProcessMatch = { readonly run: string; readonly confidence: number };

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
 * `processes` is null where they cannot be known (no permission, a container without the host's pids).
 */
export const attributeGpus = (
  runs: readonly RunOnHost[],
  gpus: readonly GpuPlace[],
  processes: readonly ObservedProcess[] | null,
): Attribution => {
  const matches = new Map<number, ProcessMatch>();
  for (const process of processes ?? []) {
    const match = matchProcess(process, runs);
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
/** A process writes its run folder soon after its own start; clocks and slow imports need some room. */
const STARTED_BEFORE_MS = 60_000;

const matchProcess = (process: ObservedProcess, runs: readonly RunOnHost[]): ProcessMatch | null => {
  const single = (matching: readonly RunOnHost[], confidence: number): ProcessMatch | null => {
    const [run, ...others] = matching;
    return run !== undefined && others.length === 0 ? { run: run.id, confidence } : null;
  };
  const holdsOpen = runs.filter((run) => process.openFolders.some((folder) => isInside(folder, run.path)));
  if (holdsOpen.length > 0) return single(holdsOpen, OPEN_FILE);
  const named = runs.filter((run) => process.command?.includes(run.path));
  if (named.length > 0) return single(named, COMMAND_LINE);
  const { cwd, startedAt } = process;
  if (cwd === null || cwd === '/') return null;
  const below = runs.filter(
    (run) =>
      isInside(run.path, cwd) &&
      (startedAt === null || run.startedAt === null || startedAt <= run.startedAt + STARTED_BEFORE_MS),
  );
  return single(below, WORKING_FOLDER);
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
