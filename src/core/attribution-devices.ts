import type { MigPlace } from './batch.ts';

/** A GPU's place in today's order; `mig` is set for a MIG instance, which is a GPU of its own. */
export type GpuPlace = {
  readonly uuid: string;
  readonly index: number;
  readonly mig?: MigPlace | null;
  readonly name?: string | null;
};

/** Which GPUs a training means. Both by UUID. */
export type Devices = {
  /** Those that it means for certain; none where that cannot be said. */
  readonly named: readonly string[];
  readonly allows: (uuid: string) => boolean;
};

type Environment = Readonly<Record<string, string>> | null;
/** GPUs in the order in which a training counts them; null: one that cannot be told. */
type Order = readonly (string | null)[];

/**
 * `device` as Ultralytics and YOLOv5 take it: 0, "0,1", [0, 1], "cuda:0", "cpu"; without it the first GPU that the
 * process sees: that of CUDA_VISIBLE_DEVICES, else the only one there is. A number together with that variable can be
 * read in two ways: their `select_device` overwrites the variable, so that the number counts all GPUs, but where CUDA
 * was in use before, it counts those of the variable. Where the two differ, nothing is named and both are allowed.
 */
export const devicesOf = (
  args: Readonly<Record<string, unknown>> | null,
  gpus: readonly GpuPlace[],
  environment: Environment,
): Devices => {
  const all = allInOrder(gpus, environment);
  const visible = visibleOf(gpus, environment);
  const device = args?.device ?? null;
  if (device === null || device === '') {
    if (visible !== null) return devices([visible.slice(0, 1)], gpus);
    const computing = gpus.filter((gpu) => !isDivided(gpu, gpus)).map(({ uuid }) => uuid);
    return { named: computing.length === 1 ? computing : [], allows: () => true };
  }
  const words = (Array.isArray(device) ? device : String(device).split(',')).map((word) =>
    String(word)
      .trim()
      .replace(/^cuda:?/, ''),
  );
  const countedBy = (order: Order): Order =>
    words.flatMap((word) => {
      if (/^\d+$/.test(word)) return order[Number(word)] ?? (order.includes(null) ? [null] : []);
      // -1 lets the trainer choose.
      return word === '-1' ? [null] : (gpuNamed(word, gpus) ?? []);
    });
  return devices(visible === null ? [countedBy(all)] : [countedBy(all), countedBy(visible)], gpus);
};

/** What all readings agree in is named, what any of them says is allowed. */
const devices = (readings: readonly Order[], gpus: readonly GpuPlace[]): Devices => {
  const [first = [], ...others] = readings;
  const agree = others.every((other) => other.length === first.length && other.every((gpu, i) => gpu === first[i]));
  const possible = new Set(readings.flat());
  const parents = new Map(gpus.flatMap(({ uuid, mig }) => (mig ? [[uuid, mig.parent] as const] : [])));
  return {
    named: agree ? first.filter((gpu) => gpu !== null) : [],
    // Some sources tell of a whole GPU where the process is on an instance.
    allows: (uuid) =>
      possible.has(null) ||
      possible.has(uuid) ||
      possible.has(parents.get(uuid) ?? uuid) ||
      [...possible].some((gpu) => gpu !== null && parents.get(gpu) === uuid),
  };
};

/** CUDA counts the fastest first unless told otherwise: only among equal GPUs is that the driver's order. */
const allInOrder = (gpus: readonly GpuPlace[], environment: Environment): Order => {
  const whole = gpus.filter(({ mig }) => !mig).sort((a, b) => a.index - b.index);
  const isDriversOrder =
    environment?.CUDA_DEVICE_ORDER === 'PCI_BUS_ID' || new Set(whole.map(({ name }) => name)).size <= 1;
  const order: (string | null)[] = [];
  for (const gpu of whole) order[gpu.index] = isDriversOrder ? computingPart(gpu, gpus) : null;
  return Array.from(order, (gpu) => gpu ?? null);
};

/** Of a GPU that is divided a process gets one instance, and nobody says which. */
const computingPart = (gpu: GpuPlace, gpus: readonly GpuPlace[]): string | null => {
  const parts = gpus.filter(({ mig }) => mig?.parent === gpu.uuid);
  const [only, ...others] = parts;
  if (only === undefined) return gpu.uuid;
  return others.length === 0 ? only.uuid : null;
};

const isDivided = (gpu: GpuPlace, gpus: readonly GpuPlace[]): boolean =>
  gpus.some(({ mig }) => mig?.parent === gpu.uuid);

/** The GPUs that CUDA_VISIBLE_DEVICES lists, up to the first word that is none; null: it is not set. */
const visibleOf = (gpus: readonly GpuPlace[], environment: Environment): Order | null => {
  const variable = environment?.CUDA_VISIBLE_DEVICES;
  if (variable === undefined) return null;
  const all = allInOrder(gpus, environment);
  const visible: (string | null)[] = [];
  for (const word of variable.split(',').map((part) => part.trim())) {
    const gpu = /^\d+$/.test(word) ? all[Number(word)] : gpuNamed(word, gpus);
    if (gpu === undefined) break;
    visible.push(gpu);
  }
  return visible;
};

/**
 * A GPU or a MIG instance by its UUID or the beginning of it, or an instance as drivers before 470 name it:
 * `MIG-GPU-UUID/GPU INSTANCE/COMPUTE INSTANCE`.
 */
const gpuNamed = (word: string, gpus: readonly GpuPlace[]): string | undefined => {
  const [, parent, gpuInstance, computeInstance] = /^MIG-(GPU-[^/]+)\/(\d+)\/(\d+)$/.exec(word) ?? [];
  const [only, ...others] =
    parent === undefined
      ? gpus.filter(({ uuid }) => /^(GPU|MIG)-./.test(word) && uuid.startsWith(word))
      : gpus.filter(
          ({ mig }) =>
            mig?.parent === parent &&
            mig.gpuInstance === Number(gpuInstance) &&
            mig.computeInstance === Number(computeInstance),
        );
  return others.length === 0 ? only?.uuid : undefined;
};
