import { type Check, check } from '../check.ts';
import type { DeviceFacts } from '../facts/devices.ts';
import type { SmiFacts } from '../facts/nvidia-smi.ts';
import type { NvmlFacts } from '../facts/nvml.ts';
import type { Probed } from '../probe.ts';
import { counted, listed } from '../wording.ts';
import { judgeNvidiaSmi } from './nvidia-smi.ts';
import { judgeNvml } from './nvml.ts';
import { judgeUnanswered } from './unanswered.ts';

/** All that was found out of the GPUs. */
export type GpuFacts = {
  readonly devices: DeviceFacts;
  /** null: it is not to be asked. */
  readonly nvml: Probed<NvmlFacts> | null;
  readonly smi: SmiFacts;
  /** The library or the program was named by an option. */
  readonly named: { readonly library: string | null; readonly program: string | null };
  /** The kind of container that we are in; null: in none, or it is not known. */
  readonly container: string | null;
  /** How often the GPUs are to be sampled, ms. */
  readonly intervalMs: number;
};

const DRIVER_HANGS = [
  'look for "NVRM: Xid" in the kernel log: sudo dmesg | grep -i xid',
  'a driver that hangs does not come back by itself: stop the trainings, then reset the GPU (nvidia-smi -r) or reboot',
];

export const judgeGpu = (facts: GpuFacts): readonly Check[] => {
  if (!hasSigns(facts)) return [judgeNone(facts)];
  const { nvml, smi, intervalMs } = facts;
  const subject = { id: 'gpu-nvml', group: 'gpu', title: 'NVML', whose: 'the driver', fix: DRIVER_HANGS } as const;
  return [
    judgeDriver(facts),
    judgeNodes(facts),
    ...(nvml === null
      ? []
      : nvml.kind === 'answered'
        ? judgeNvml(nvml.value, intervalMs)
        : [judgeUnanswered(subject, nvml)]),
    judgeNvidiaSmi(smi, DRIVER_HANGS),
  ];
};

/** Anything that speaks for a GPU, or a driver, or somebody who expects one. */
const hasSigns = ({ devices, nvml, smi, named }: GpuFacts): boolean =>
  devices.boards.length > 0 ||
  devices.driver !== null ||
  devices.nodes.length > 0 ||
  devices.isWsl ||
  smi.kind !== 'missing' ||
  named.library !== null ||
  named.program !== null ||
  nvml?.kind === 'hung' ||
  (nvml?.kind === 'answered' && (nvml.value.kind === 'answers' || nvml.value.kind === 'failing'));

const judgeNone = ({ devices }: GpuFacts): Check =>
  check(
    { id: 'gpu', group: 'gpu', title: 'NVIDIA GPU' },
    {
      status: 'ok',
      says: 'none on this machine, and no driver: runs and host are watched all the same',
      facts: { ...devices },
    },
  );

const judgeDriver = ({ devices, nvml, smi, container }: GpuFacts): Check => {
  const subject = { id: 'gpu-driver', group: 'gpu', title: 'Driver' } as const;
  const { nodes: _, ...seen } = devices;
  const facts = { ...seen, container };
  const byNvml = nvml?.kind === 'answered' && nvml.value.kind === 'answers' ? nvml.value : null;
  const bySmi = smi.kind === 'answers' ? smi : null;
  const names =
    byNvml?.gpus.filter(({ mig }) => !mig).map(({ name }) => name) ?? bySmi?.gpus.map(({ name }) => name) ?? [];
  if (names.length > 0) {
    const version = byNvml?.driver ?? bySmi?.driver ?? devices.driver ?? 'of a version that it does not tell';
    const cuda = byNvml?.cuda == null ? '' : `, CUDA up to ${byNvml.cuda}`;
    return check(subject, { status: 'ok', says: `${version}${cuda}; ${gpusInWords(names)}`, facts });
  }
  if (byNvml !== null || smi.kind === 'no-gpu') {
    const says = 'loaded, and finds no GPU';
    const fix = ['look for the board: lspci | grep -i nvidia', 'and for errors: sudo dmesg | grep -i nvrm'];
    return check(subject, { status: 'warning', says, facts, fix });
  }
  if (devices.driver !== null) {
    const says = `${devices.driver} is loaded, and neither its library nor nvidia-smi tells of a GPU (see below)`;
    return check(subject, { status: 'problem', says, facts, fix: container === null ? [] : GIVE_GPUS });
  }
  if (devices.isWsl) {
    const says = 'this is Windows Subsystem for Linux, where the driver is that of Windows; it does not answer';
    return check(subject, { status: 'problem', says, facts, fix: ['install or update the NVIDIA driver in Windows'] });
  }
  if (devices.boards.length === 0) {
    const says = 'not loaded, and no NVIDIA board is on the PCI bus';
    return check(subject, { status: 'warning', says, facts });
  }
  const boards = `${counted(devices.boards.length, 'NVIDIA board')} on the PCI bus`;
  if (container !== null) {
    const says = `${boards}, and this container was not given any`;
    return check(subject, { status: 'problem', says, facts, fix: GIVE_GPUS });
  }
  const says = `${boards}, and the driver is not loaded${devices.hasNouveau ? ' (nouveau has the board)' : ''}`;
  const nouveau = devices.hasNouveau
    ? ['keep nouveau from loading: "blacklist nouveau" in /etc/modprobe.d, then reboot']
    : [];
  const fix = [
    ...nouveau,
    'sudo modprobe nvidia; where that fails, install the NVIDIA driver for this kernel and reboot',
  ];
  return check(subject, { status: 'problem', says, facts, fix });
};

const GIVE_GPUS = [
  'Docker: install the NVIDIA Container Toolkit and start the container with --gpus all',
  'Kubernetes: resources: limits: nvidia.com/gpu: 1, and the NVIDIA device plugin',
];

/** "2 × NVIDIA A100 and Tesla T4". */
const gpusInWords = (names: readonly (string | null)[]): string =>
  listed(
    [...Map.groupBy(names, (name) => name ?? 'a GPU without a name')].map(([name, same]) =>
      same.length === 1 ? name : `${same.length} × ${name}`,
    ),
  );

const judgeNodes = ({ devices: { nodes, isWsl, driver, boards }, container }: GpuFacts): Check => {
  const subject = { id: 'gpu-devices', group: 'gpu', title: '/dev/nvidia*' } as const;
  const facts = { nodes };
  const refused = nodes.filter(({ refusal }) => refusal !== null);
  const [first] = refused;
  if (first !== undefined) {
    const paths = listed(refused.map(({ path }) => path));
    if (first.refusal === 'EPERM') {
      const says = `there, and the cgroup of this container or service does not let us in: ${paths}`;
      const fix = ['restart the container: "systemctl daemon-reload" on the host cuts its access', ...GIVE_GPUS];
      return check(subject, { status: 'problem', says, facts, fix });
    }
    const says = `this user may not read and write ${paths} (${first.refusal})`;
    const fix = [
      'ls -l /dev/nvidia* shows the group that may: sudo usermod -aG GROUP "$USER" (often video), and log in anew',
    ];
    return check(subject, { status: 'problem', says, facts, fix });
  }
  if (nodes.length > 0)
    return check(subject, { status: 'ok', says: `${counted(nodes.length, 'file')}, all ours to use`, facts });
  if (isWsl) return check(subject, { status: 'ok', says: 'not needed under Windows Subsystem for Linux', facts });
  if (driver === null || boards.length === 0) return check(subject, { status: 'unknown', says: 'none here', facts });
  const fix = container === null ? ['sudo nvidia-modprobe -u -c=0, or run nvidia-smi once as root'] : GIVE_GPUS;
  return check(subject, {
    status: 'problem',
    says: 'the driver is loaded, and its device files are missing here',
    facts,
    fix,
  });
};
