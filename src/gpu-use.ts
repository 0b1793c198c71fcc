import {
  type Attribution,
  attributeGpus,
  type GpuPlace,
  type ProcessMatch,
  type RunOnHost,
} from './core/attribution.ts';
import type { ObservedGpu, ObservedProcess } from './core/batch.ts';
import type { Store } from './core/ports.ts';
import type { GpuProcess } from './core/sample.ts';

/** Which runs use which GPUs now, by the processes on them. GPUs are named by their UUID unless said otherwise. */
export type GpuUse = {
  /** Takes the GPUs that the driver lists; true when one moved or is new. */
  readonly setGpus: (gpus: readonly ObservedGpu[]) => boolean;
  /** Takes all GPU processes; null: they cannot be known now. */
  readonly setProcesses: (processes: readonly ObservedProcess[] | null) => void;
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
  /** Today's place of a GPU: `gpu:INDEX` is its subject; undefined for one that is not there. */
  readonly placeOf: (gpu: string) => GpuPlace | undefined;
  /** Bytes that the run of this GPU holds on it by its own processes; null: not known. */
  readonly runMemoryOn: (gpu: string) => number | null;
};

/** Starts with the GPUs that the store knows. */
export const createGpuUse = ({ store }: { readonly store: Store }): GpuUse => {
  const places = new Map<string, GpuPlace>(store.listGpus().map(({ uuid, index }) => [uuid, { uuid, index }]));
  let processes: readonly ObservedProcess[] | null = null;
  let attribution: Attribution = { runs: new Map(), gpus: new Map(), processes: new Map() };

  const processOf = (process: ObservedProcess): GpuProcess => {
    const match = attribution.processes.get(process.pid);
    return {
      pid: process.pid,
      user: process.user,
      command: process.command,
      memory: process.memory,
      utilization: null,
      run: match?.run ?? null,
      confidence: match?.confidence ?? null,
    };
  };

  return {
    setGpus: (gpus) => {
      const moved = gpus.some(({ uuid, index }) => places.get(uuid)?.index !== index);
      if (!moved) return false;
      const taken = new Set(gpus.map(({ index }) => index));
      for (const [uuid, { index }] of places) if (taken.has(index)) places.delete(uuid);
      for (const { uuid, index } of gpus) places.set(uuid, { uuid, index });
      return true;
    },
    setProcesses: (list) => {
      processes = list;
    },
    processes: () => processes,
    attribute: (runs) => {
      attribution = attributeGpus(runs, [...places.values()], processes, attribution.processes);
      for (const uuid of places.keys()) {
        store.setGpuUse(uuid, {
          run: attribution.gpus.get(uuid) ?? null,
          processes: processes?.filter((process) => process.gpuUuid === uuid).map(processOf) ?? null,
        });
      }
    },
    gpusOf: (run) => attribution.runs.get(run)?.gpus ?? [],
    subjectsOf: (run) =>
      attribution.runs.get(run)?.gpus.map((uuid) => `gpu:${places.get(uuid)?.index ?? uuid}`) ?? null,
    matches: () => attribution.processes,
    pidsOf: (run) => attribution.runs.get(run)?.pids ?? [],
    runOf: (gpu) => attribution.gpus.get(gpu) ?? null,
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
