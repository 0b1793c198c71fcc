import type { MigPlace, ObservedGpu } from '../../core/batch.ts';
import type { Values } from '../../core/sample.ts';
import type { ListedMig } from './mig-list.ts';
import { parsePciBusId } from './pci-bus-id.ts';
import { type Element, elementAt, listAt, textAt } from './xml-element.ts';
import { numberAt, readGpu, readMig } from './xml-numbers.ts';

/** One GPU of `nvidia-smi -q -x`, or one MIG instance of it, and the processes that the log lists on it. */
export type XmlGpu = {
  readonly gpu: ObservedGpu;
  readonly values: Values;
  /** Why a metric is null: the word in place of a number, such as `N/A`, by metric. */
  readonly reasons: Readonly<Record<string, string>>;
  readonly processes: readonly XmlProcess[];
};

/** One process; the instances are those of MIG, null without it. */
export type XmlProcess = {
  readonly pid: number;
  readonly memory: number | null;
  readonly name: string | null;
  readonly gpuInstance: number | null;
  readonly computeInstance: number | null;
};

/**
 * All GPUs of a parsed log, in its order, each followed by its MIG instances; the place in it stands for the index,
 * which the log does not hold. A GPU without a UUID cannot be told from another and is left out. `listed` names the
 * instances, which the log numbers but does not name; one that is not listed gets the name that drivers before 470 gave
 * it, `MIG-GPU-…/GPU-INSTANCE/COMPUTE-INSTANCE`. Throws when it is no nvidia-smi log at all.
 */
export const parseSmiLog = (log: unknown, listed: readonly ListedMig[]): readonly XmlGpu[] => {
  const root = elementAt(log, 'nvidia_smi_log');
  if (typeof root !== 'object' || root === null) throw new Error('nvidia-smi -q -x: no <nvidia_smi_log> in its output');
  const driver = textAt(root, 'driver_version');
  return listAt(root, 'gpu').flatMap((element, index): readonly XmlGpu[] => {
    const uuid = textAt(element, 'uuid');
    if (uuid === null || !uuid.startsWith('GPU-')) return [];
    const { values, reasons } = readGpu(element);
    const { memoryTotal = null, powerLimit = null } = values;
    const pciBusId = parsePciBusId(textAt(element, 'pci.pci_bus_id') ?? textAt(element, '$.id') ?? '');
    const gpu = { uuid, index, name: textAt(element, 'product_name'), driver, memoryTotal, powerLimit, pciBusId };
    const processes = processesOf(element);
    const instances = listAt(elementAt(element, 'mig_devices'), 'mig_device').flatMap(
      (mig) => instanceOf(mig, { gpu, processes, listed }) ?? [],
    );
    const placed = new Set(instances.flatMap((instance) => instance.processes));
    const own = processes.filter((process) => !placed.has(process));
    return [{ gpu, values, reasons, processes: own }, ...instances];
  });
};

const instanceOf = (
  element: Element,
  { gpu, processes, listed }: Pick<XmlGpu, 'gpu' | 'processes'> & { readonly listed: readonly ListedMig[] },
): XmlGpu | null => {
  const index = numberAt(element, 'index');
  const gpuInstance = numberAt(element, 'gpu_instance_id');
  const computeInstance = numberAt(element, 'compute_instance_id');
  if (index === null || gpuInstance === null || computeInstance === null) return null;
  const named = listed.find((one) => one.parent === gpu.uuid && one.index === index);
  const profile = named?.profile ?? null;
  const mig: MigPlace = { parent: gpu.uuid, index, gpuInstance, computeInstance, profile };
  const { values, reasons } = readMig(element);
  return {
    gpu: {
      ...gpu,
      uuid: named?.uuid ?? `MIG-${gpu.uuid}/${gpuInstance}/${computeInstance}`,
      name: gpu.name === null ? null : `${gpu.name} MIG${profile === null ? '' : ` ${profile}`}`,
      memoryTotal: values.memoryTotal ?? null,
      powerLimit: null,
      mig,
    },
    values,
    reasons,
    processes: processes.filter(
      (process) =>
        process.gpuInstance === gpuInstance && (process.computeInstance ?? computeInstance) === computeInstance,
    ),
  };
};

const processesOf = (gpu: Element): readonly XmlProcess[] =>
  listAt(elementAt(gpu, 'processes'), 'process_info').flatMap((element) => {
    const pid = Number(textAt(element, 'pid') ?? Number.NaN);
    const type = textAt(element, 'type') ?? 'C';
    if (!Number.isInteger(pid) || !type.includes('C')) return [];
    return [
      {
        pid,
        memory: numberAt(element, 'used_memory'),
        name: textAt(element, 'process_name'),
        gpuInstance: numberAt(element, 'gpu_instance_id'),
        computeInstance: numberAt(element, 'compute_instance_id'),
      },
    ];
  });
