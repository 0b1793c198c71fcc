import { placesOf } from './places.ts';

/** What a call takes: an opaque handle, memory that it reads or fills, numbers. */
type Arguments = {
  readonly handle: bigint;
  readonly memory: Buffer | null;
  readonly u32: number;
  readonly u64: number;
};
const C_TYPES = { handle: 'void *', memory: 'void *', u32: 'uint32_t', u64: 'uint64_t' } as const;

/** Every function that is called, by its exact name (the names without a suffix are older ones with other structs). */
const SIGNATURES = {
  nvmlInit_v2: [],
  nvmlShutdown: [],
  nvmlSystemGetDriverVersion: ['memory', 'u32'],
  nvmlDeviceGetCount_v2: ['memory'],
  nvmlDeviceGetHandleByIndex_v2: ['u32', 'memory'],
  nvmlDeviceGetName: ['handle', 'memory', 'u32'],
  nvmlDeviceGetUUID: ['handle', 'memory', 'u32'],
  nvmlDeviceGetPciInfo_v3: ['handle', 'memory'],
  nvmlDeviceGetEnforcedPowerLimit: ['handle', 'memory'],
  nvmlDeviceGetUtilizationRates: ['handle', 'memory'],
  nvmlDeviceGetSamples: ['handle', 'u32', 'u64', 'memory', 'memory', 'memory'],
  nvmlDeviceGetMemoryInfo_v2: ['handle', 'memory'],
  nvmlDeviceGetMemoryInfo: ['handle', 'memory'],
  nvmlDeviceGetClockInfo: ['handle', 'u32', 'memory'],
  nvmlDeviceGetCurrentClocksEventReasons: ['handle', 'memory'],
  nvmlDeviceGetCurrentClocksThrottleReasons: ['handle', 'memory'],
  nvmlDeviceGetPowerUsage: ['handle', 'memory'],
  nvmlDeviceGetTemperature: ['handle', 'u32', 'memory'],
  nvmlDeviceGetTemperatureV: ['handle', 'memory'],
  nvmlDeviceGetFieldValues: ['handle', 'u32', 'memory'],
  nvmlDeviceGetMaxPcieLinkGeneration: ['handle', 'memory'],
  nvmlDeviceGetMaxPcieLinkWidth: ['handle', 'memory'],
  nvmlDeviceGetFanSpeed: ['handle', 'memory'],
  nvmlDeviceGetTotalEccErrors: ['handle', 'u32', 'u32', 'memory'],
  nvmlDeviceGetRemappedRows: ['handle', 'memory', 'memory', 'memory', 'memory'],
  nvmlDeviceGetComputeRunningProcesses_v3: ['handle', 'memory', 'memory'],
  nvmlDeviceGetComputeRunningProcesses_v2: ['handle', 'memory', 'memory'],
  nvmlDeviceGetComputeRunningProcesses: ['handle', 'memory', 'memory'],
  nvmlDeviceGetProcessUtilization: ['handle', 'memory', 'memory', 'u64'],
  nvmlDeviceGetMigMode: ['handle', 'memory', 'memory'],
  nvmlDeviceGetMaxMigDeviceCount: ['handle', 'memory'],
  nvmlDeviceGetMigDeviceHandleByIndex: ['handle', 'u32', 'memory'],
  nvmlDeviceGetGpuInstanceId: ['handle', 'memory'],
  nvmlDeviceGetComputeInstanceId: ['handle', 'memory'],
  nvmlEventSetCreate: ['memory'],
  nvmlEventSetFree: ['handle'],
  nvmlEventSetWait_v2: ['handle', 'memory', 'u32'],
  nvmlDeviceGetSupportedEventTypes: ['handle', 'memory'],
  nvmlDeviceRegisterEvents: ['handle', 'u64', 'handle'],
  // Called by `signalbox doctor` alone.
  nvmlSystemGetNVMLVersion: ['memory', 'u32'],
  nvmlSystemGetCudaDriverVersion_v2: ['memory'],
  nvmlDeviceGetPersistenceMode: ['handle', 'memory'],
  nvmlDeviceGetPcieThroughput: ['handle', 'u32', 'memory'],
} as const satisfies Record<string, readonly (keyof Arguments)[]>;

type Name = keyof typeof SIGNATURES;
type ArgumentsOf<Kinds extends readonly (keyof Arguments)[]> = { -readonly [I in keyof Kinds]: Arguments[Kinds[I]] };
type Call<N extends Name> = (...args: ArgumentsOf<(typeof SIGNATURES)[N]>) => number;

/**
 * The library's functions; each returns an NVML return code, and is undefined where this driver does not export it
 * (calling one that is missing would crash the process). They are synchronous: one that hangs, hangs the process.
 */
export type Nvml = { readonly [N in Name]: Call<N> | undefined };

/** koffi or the library is not there or cannot be loaded: no use to try again. */
export class NvmlUnavailable extends Error {
  override name = 'NvmlUnavailable';
}

/**
 * Opens the library that is named, or the one that the loader finds. The only door to koffi. Throws
 * {@link NvmlUnavailable}, in words for a person.
 */
export const openNvml = async (named: string | null): Promise<Nvml> => {
  const koffi = await openKoffi();
  const places = placesOf(named);
  const failures: string[] = [];
  for (const place of places) {
    try {
      return probe(koffi.load(place));
    } catch (error) {
      failures.push(`${place}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new NvmlUnavailable(`the driver's library cannot be loaded (${failures[0]})`);
};

/**
 * From now on the kernel kills this process when its parent ends, even while a call hangs in the driver. Linux only. See
 * prctl(2), PR_SET_PDEATHSIG.
 */
export const dieWithParent = async (): Promise<void> => {
  const PR_SET_PDEATHSIG = 1;
  const SIGKILL = 9;
  const { load } = await openKoffi();
  load(null).func('prctl', 'int', ['int', 'ulong', 'ulong', 'ulong', 'ulong'])(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
};

/** It is an optional dependency: loaded here and nowhere else. */
const openKoffi = async (): Promise<typeof import('koffi')> => {
  try {
    return await import('koffi');
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new NvmlUnavailable(
      `the package koffi is not there or has no binary for this system: npm install --include=optional (${why})`,
    );
  }
};

const probe = (library: import('koffi').LibraryHandle): Nvml => {
  const found = Object.entries(SIGNATURES).map(([name, types]) => {
    try {
      return [
        name,
        library.func(
          name,
          'int',
          types.map((type) => C_TYPES[type]),
        ),
      ];
    } catch {
      return [name, undefined];
    }
  });
  const nvml: Partial<Nvml> = Object.fromEntries(found);
  if (nvml.nvmlInit_v2 === undefined || nvml.nvmlDeviceGetHandleByIndex_v2 === undefined)
    throw new Error('it is no NVML library: it has no nvmlInit_v2');
  // Every name of SIGNATURES was probed, and koffi's functions take what their signature says.
  return nvml as Nvml;
};
