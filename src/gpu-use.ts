import {
  type Attribution,
  attributeGpus,
  type GpuPlace,
  type ProcessMatch,
  type RunOnHost,
} from './core/attribution.ts';
import type { Batch, ObservedGpu, ObservedProcess, ObservedUnwatched } from './core/batch.ts';
import type { Store } from './core/ports.ts';
import { type GpuProcess, gpuSubject } from './core/sample.ts';

/** Which runs use which GPUs now, by the processes on them. GPUs are named by their UUID unless said otherwise. */
export type GpuUse = {
  /** Takes the GPUs that the driver lists; true when one moved or is new. */
  readonly setGpus: (gpus: readonly ObservedGpu[]) => boolean;
  /**
   * Takes all GPU processes (null: they cannot be known now, and why), what the trainings of runs were started with, and
   * which processes train where nobody watches. True when it is to be settled anew who uses which GPU.
   */
  readonly hear: (batch: Pick<Batch, 'processes' | 'processesUnknown' | 'processTrees' | 'unwatched'>) => boolean;
  /** The GPU processes that belong to no run. */
  readonly strangers: () => readonly ObservedProcess[];
  readonly processes: () => readonly ObservedProcess[] | null;
  /** Settles anew which of these active runs has which GPU. */
  readonly attribute: (runs: readonly RunOnHost[]) => void;
  readonly gpusOf: (run: string) => readonly string[];
  /** The same by their subjects, such as `gpu:0`; null: nothing is known of the run. */
  readonly subjectsOf: (run: string) => readonly string[] | null;
  readonly pidsOf: (run: string) => readonly number[];
  /** Whose each process is, by its pid. */
  readonly matches: () => ReadonlyMap<number, ProcessMatch>;
  readonly runOf: (gpu: string) => string | null;
  /** All GPUs that are known of this host, also those that have gone silent. */
  readonly uuids: () => readonly string[];
  /** Today's place of a GPU: `gpu:INDEX` is its subject; undefined for one that is not there. */
  readonly placeOf: (gpu: string) => GpuPlace | undefined;
  /** Today's name of a GPU, such as `gpu:0`; that of its UUID for one that is not there. */
  readonly subjectOf: (gpu: string) => string;
  /** Bytes that the run of this GPU holds on it by its own processes; null: not known. */
  readonly runMemoryOn: (gpu: string) => number | null;
};

/** Starts with the GPUs that the store knows. */
export const createGpuUse = ({ store }: { readonly store: Store }): GpuUse => {
  const places = new Map<string, GpuPlace>(store.listGpus().map((gpu) => [gpu.uuid, toPlace(gpu)]));
  let processes: readonly ObservedProcess[] | null = null;
  let processesUnknown: string | null = null;
  let environments: ReadonlyMap<string, RunOnHost['environment']> = new Map();
  let unwatched: readonly ObservedUnwatched[] = [];
  let attribution: Attribution = { runs: new Map(), gpus: new Map(), processes: new Map() };

  const subjectOf = (uuid: string): string => {
    const place = places.get(uuid);
    return place === undefined ? `gpu:${uuid}` : gpuSubject(place);
  };

  const unwatchedFolder = ({ pid, startedAt }: ObservedProcess): string | null =>
    unwatched.find((other) => other.pid === pid && other.startedAt === startedAt)?.folder ?? null;

  const processOf = (process: ObservedProcess): GpuProcess => {
    const match = attribution.processes.get(process.pid);
    return {
      pid: process.pid,
      user: process.user,
      command: process.command,
      memory: process.memory,
      utilization: process.utilization ?? null,
      run: match?.run ?? null,
      confidence: match?.confidence ?? null,
      unwatched: match === undefined ? unwatchedFolder(process) : null,
    };
  };

  return {
    setGpus: (gpus) => {
      const isKnown = (gpu: ObservedGpu) => {
        const place = places.get(gpu.uuid);
        return place !== undefined && gpuSubject(place) === gpuSubject(gpu);
      };
      if (gpus.every(isKnown)) return false;
      const taken = new Set(gpus.map(gpuSubject));
      for (const [uuid, place] of places) if (taken.has(gpuSubject(place))) places.delete(uuid);
      for (const gpu of gpus) places.set(gpu.uuid, toPlace(gpu));
      return true;
    },
    hear: (batch) => {
      if (batch.processes !== undefined) {
        processes = batch.processes;
        processesUnknown = batch.processesUnknown ?? null;
      }
      const before = JSON.stringify([[...environments], unwatched]);
      if (batch.processTrees !== undefined)
        environments = new Map(batch.processTrees.map(({ run, environment }) => [run, environment ?? null]));
      unwatched = batch.unwatched ?? unwatched;
      return batch.processes !== undefined || JSON.stringify([[...environments], unwatched]) !== before;
    },
    strangers: () => processes?.filter(({ pid }) => !attribution.processes.has(pid)) ?? [],
    processes: () => processes,
    attribute: (runs) => {
      attribution = attributeGpus(
        runs.map((run) => ({ ...run, environment: environments.get(run.id) ?? null })),
        [...places.values()],
        processes,
        attribution.processes,
      );
      for (const uuid of places.keys()) {
        store.setGpuUse(uuid, {
          run: attribution.gpus.get(uuid) ?? null,
          processes: processes?.filter((process) => process.gpuUuid === uuid).map(processOf) ?? null,
          processesUnknown,
        });
      }
    },
    gpusOf: (run) => attribution.runs.get(run)?.gpus ?? [],
    subjectsOf: (run) => attribution.runs.get(run)?.gpus.map(subjectOf) ?? null,
    subjectOf,
    matches: () => attribution.processes,
    pidsOf: (run) => attribution.runs.get(run)?.pids ?? [],
    runOf: (gpu) => attribution.gpus.get(gpu) ?? null,
    uuids: () => [...places.keys()],
    placeOf: (gpu) => places.get(gpu),
    runMemoryOn: (gpu) => {
      const run = attribution.gpus.get(gpu);
      if (run === undefined || processes === null) return null;
      const own = processes.filter((p) => p.gpuUuid === gpu && attribution.processes.get(p.pid)?.run === run);
      return own.length === 0 || own.some((p) => p.memory === null)
        ? null
        : own.reduce((total, p) => total + (p.memory ?? 0), 0);
    },
  };
};

const toPlace = ({ uuid, index, mig, name }: Pick<ObservedGpu, 'uuid' | 'index' | 'mig' | 'name'>): GpuPlace => ({
  uuid,
  index,
  mig: mig ?? null,
  name,
});
