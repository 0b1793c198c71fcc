import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { DriverGone } from '../../collectors/gpu/nvml/device.ts';
import { PCIE_WINDOW_MS } from '../../collectors/gpu/nvml/fields.ts';
import { dieWithParent, type Nvml, NvmlUnavailable, openNvml } from '../../collectors/gpu/nvml/library.ts';
import type { ChildMessage } from '../../collectors/gpu/nvml/protocol.ts';
import { CODE, explainDriver } from '../../collectors/gpu/nvml/return-codes.ts';
import { createSampler } from '../../collectors/gpu/nvml/sampler.ts';
import { readText, TEXT_SIZE } from '../../collectors/gpu/nvml/structs.ts';
import type { ObservedGpu, ObservedGpuNotes } from '../../core/batch.ts';
import { type GpuExtras, readExtras } from './nvml-gpu.ts';
import type { Tell } from './tell.ts';
import { type CallTimes, spread, timeCalls } from './timed-calls.ts';

/** What the driver's library answers. `koffi` is the file of the binding that was loaded; null: not seen. */
export type NvmlFacts =
  | { readonly kind: 'no-koffi'; readonly why: string }
  | { readonly kind: 'no-library'; readonly koffi: string | null; readonly why: string }
  | { readonly kind: 'failing'; readonly koffi: string | null; readonly library: string | null; readonly why: string }
  | NvmlAnswers;

export type NvmlAnswers = {
  readonly kind: 'answers';
  readonly koffi: string | null;
  readonly library: string | null;
  readonly driver: string | null;
  readonly version: string | null;
  /** Such as 12.4. */
  readonly cuda: string | null;
  /** Whole GPUs and MIG instances that could be opened. */
  readonly gpus: readonly ObservedGpu[];
  readonly notes: readonly ObservedGpuNotes[];
  /** By the index of the GPU. */
  readonly extras: Readonly<Record<string, GpuExtras>>;
  /** Such as GPUs that cannot be opened. */
  readonly remarks: readonly string[];
  /** Functions that the service calls and this driver does not have. */
  readonly missing: readonly string[];
  readonly calls: readonly CallTimes[];
  /** How long the fast part of a tick took for all GPUs together. */
  readonly tick: Omit<CallTimes, 'name'>;
  /** Why the processes on the GPUs are not known; null: they are. */
  readonly processesUnknown: string | null;
};

/** `library` null: the one that the loader finds. */
export type NvmlQuestion = { readonly library: string | null; readonly ticks: number };

/** So that the list of processes is read in every fourth tick only: it holds the driver's lock for milliseconds. */
const INTERVAL_MS = 250;

/** Does what the service's own sampler does, some ticks long, with a clock on every call. */
export const askNvml = async ({ library, ticks }: NvmlQuestion, tell: Tell): Promise<NvmlFacts> => {
  tell('loading koffi');
  try {
    await dieWithParent();
  } catch (error) {
    if (error instanceof NvmlUnavailable) return { kind: 'no-koffi', why: error.message };
    throw error;
  }
  const koffi = loadedFile(/koffi[^/]*\.node$/);
  tell('loading the library');
  try {
    return { koffi, ...(await useLibrary(await openNvml(library), ticks, tell)) };
  } catch (error) {
    if (error instanceof NvmlUnavailable) return { kind: 'no-library', koffi, why: error.message };
    throw error;
  }
};

type Answer = Omit<Extract<NvmlFacts, { kind: 'failing' }>, 'koffi'> | Omit<NvmlAnswers, 'koffi'>;

const useLibrary = async (opened: Nvml, ticks: number, tell: Tell): Promise<Answer> => {
  const library = loadedFile(/nvidia-ml/);
  const { nvml, times } = timeCalls(opened, tell);
  const heard = createHearing();
  const sampler = createSampler({ nvml, intervalMs: INTERVAL_MS, known: [], say: heard.take, remark: heard.remark });
  const durations: number[] = [];
  try {
    if (sampler.open()) {
      for (let tick = 0; tick < ticks; tick++) {
        sampler.mark();
        await pause(PCIE_WINDOW_MS);
        durations.push(sampler.tick() * 1000);
      }
    }
  } catch (error) {
    if (error instanceof DriverGone) return { kind: 'failing', library, why: explainDriver(error.code) };
    throw error;
  }
  const { gpus, notes, processesUnknown } = heard.known();
  const wholes = gpus.filter(({ mig }) => !mig);
  return {
    kind: 'answers',
    library,
    ...versionsOf(opened),
    ...{ gpus, notes, remarks: heard.remarks, processesUnknown },
    extras: Object.fromEntries(wholes.map(({ index }) => [index, readExtras(opened, index, tell)])),
    missing: Object.entries(opened).flatMap(([name, call]) => (call === undefined ? [name] : [])),
    calls: times(),
    tick: spread(durations),
  };
};

/** Keeps the last of what the sampler says. */
const createHearing = () => {
  const notes = new Map<string, ObservedGpuNotes>();
  const remarks: string[] = [];
  let gpus: readonly ObservedGpu[] = [];
  let processesUnknown: string | null = null;
  return {
    remarks,
    remark: (text: string): void => {
      if (!remarks.includes(text)) remarks.push(text);
    },
    take: (message: ChildMessage): void => {
      if ('gpus' in message) gpus = message.gpus;
      else if ('notes' in message) for (const note of message.notes) notes.set(note.uuid, note);
      else if ('processes' in message) processesUnknown = message.processes === null ? message.why : null;
    },
    known: () => ({ gpus, notes: [...notes.values()], processesUnknown }),
  };
};

const versionsOf = (nvml: Nvml) => {
  const text = Buffer.alloc(TEXT_SIZE);
  const textOf = (code: number | undefined): string | null => (code === CODE.success ? readText(text) : null);
  const number = Buffer.alloc(4);
  // 12040 is 12.4.
  const cuda = nvml.nvmlSystemGetCudaDriverVersion_v2?.(number) === CODE.success ? number.readInt32LE(0) : null;
  return {
    driver: textOf(nvml.nvmlSystemGetDriverVersion?.(text, text.length)),
    version: textOf(nvml.nvmlSystemGetNVMLVersion?.(text, text.length)),
    cuda: cuda === null ? null : `${Math.floor(cuda / 1000)}.${Math.floor((cuda % 1000) / 10)}`,
  };
};

/** The path of a file that is mapped into this process: what the loader really took. */
const loadedFile = (name: RegExp): string | null => {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return (
    maps.map((line) => line.slice(line.indexOf('/'))).find((path) => path.startsWith('/') && name.test(path)) ?? null
  );
};
