import { devicesOf, type GpuPlace } from './attribution-devices.ts';
import {
  asKin,
  beganWith,
  join,
  matchByFacts,
  matchKnown,
  OPEN_FILE,
  type ProcessMatch,
  type RunOnHost,
  SAME_PLACE,
} from './attribution-facts.ts';
import type { ObservedCandidate, ObservedProcess } from './batch.ts';
import { kindOfCommand } from './run-command.ts';

export type { GpuPlace, ProcessMatch, RunOnHost };

export type Attribution = {
  /** By run: its GPUs (UUIDs, by index) and the pids that were matched to it. */
  readonly runs: ReadonlyMap<string, { readonly gpus: readonly string[]; readonly pids: readonly number[] }>;
  /** By GPU: the run that it belongs to; a GPU that is missing belongs to none or to more than one. */
  readonly gpus: ReadonlyMap<string, string>;
  readonly processes: ReadonlyMap<number, ProcessMatch>;
};

/**
 * Which GPU belongs to which run: by a process of the run that holds memory on it, else by what its `device` means (see
 * {@link devicesOf}). A GPU that two runs lay claim to belongs to neither: rules then say no-data instead of guessing.
 * `processes` is null where they cannot be known (no permission, a container without the host's pids).
 *
 * Whose a process is, surest first: it is known by its pid and start; a parent is known; it holds a file of the run folder
 * open; its command asks for that folder, or names it; its job has such a process; it works above the folder and began
 * with that run, no other one being nearly as near. What fits two runs is not matched. A process stays with the run that
 * it was `known` to belong to while both live, unless a surer fact says otherwise.
 */
export const attributeGpus = (
  runs: readonly RunOnHost[],
  gpus: readonly GpuPlace[],
  processes: readonly ObservedProcess[] | null,
  known: ReadonlyMap<number, ProcessMatch> = new Map(),
): Attribution => {
  const matches = matchProcesses(runs, gpus, processes ?? [], known);
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
    for (const uuid of devicesOf(run.args, gpus, run.environment ?? null).named) {
      if (!held.has(uuid)) claim(uuid, run.id);
    }
  }

  const owner = new Map<string, string>();
  for (const [uuid, claimants] of claims) {
    const [only, ...others] = claimants;
    if (only !== undefined && others.length === 0) owner.set(uuid, only);
  }
  const inOrder = [...gpus]
    .sort((a, b) => a.index - b.index || (a.mig?.index ?? -1) - (b.mig?.index ?? -1))
    .map((gpu) => gpu.uuid);
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

const matchProcesses = (
  runs: readonly RunOnHost[],
  gpus: readonly GpuPlace[],
  processes: readonly ObservedProcess[],
  known: ReadonlyMap<number, ProcessMatch>,
): ReadonlyMap<number, ProcessMatch> => {
  /** A process that uses several GPUs is listed on each. */
  const byPid = Map.groupBy(processes, ({ pid }) => pid);
  const own = new Map<number, ProcessMatch>();
  for (const [pid, [process, ...others]] of byPid) {
    if (process === undefined) continue;
    const uuids = [process, ...others].map(({ gpuUuid }) => gpuUuid);
    const mayBe = (run: RunOnHost) => {
      const { allows } = devicesOf(run.args, gpus, process.environment ?? null);
      return uuids.every(allows);
    };
    const match = matchProcess(process, runs, mayBe);
    if (match !== null) own.set(pid, match);
  }

  const matches = new Map<number, ProcessMatch>();
  const jobs = new Map(Map.groupBy(processes, jobOf));
  for (const [pid, [process]] of byPid) {
    if (process === undefined) continue;
    const parent = process.parents?.find((ancestor) => own.has(ancestor)) ?? Number.NaN;
    const job = jobOf(process);
    const mates = job === null ? [] : (jobs.get(job) ?? []).flatMap((mate) => own.get(mate.pid) ?? []);
    const kin = own.get(parent) ?? surest(mates);
    const match = join(own.get(pid) ?? null, kin === null ? null : asKin(kin, process));
    const before = known.get(pid);
    const stays = before?.startedAt === process.startedAt && runs.some(({ id }) => id === before.run);
    const settled = stays && (match === null || match.confidence <= before.confidence) ? before : match;
    if (settled !== null) matches.set(pid, settled);
  }
  return matches;
};

/** Ranks of one distributed training: they have one parent and meet at one address. */
const jobOf = ({ parents, environment }: ObservedProcess): string | null => {
  const { MASTER_ADDR, MASTER_PORT } = environment ?? {};
  const parent = parents?.[0];
  return parent === undefined || MASTER_PORT === undefined ? null : `${parent} ${MASTER_ADDR} ${MASTER_PORT}`;
};

/** The surest of these matches; null when another one is as sure of another run. */
const surest = (matches: readonly ProcessMatch[]): ProcessMatch | null => {
  const most = Math.max(...matches.map(({ confidence }) => confidence));
  const [match, ...others] = matches.filter(({ confidence }) => confidence === most);
  return match !== undefined && others.every(({ run }) => run === match.run) ? match : null;
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

const matchProcess = (
  process: ObservedCandidate,
  runs: readonly RunOnHost[],
  mayBe: (run: RunOnHost) => boolean,
): ProcessMatch | null => join(matchByFacts(process, runs, mayBe), matchKnown(process, runs));
