import { parsePciBusId } from './pci-bus-id.ts';

/**
 * What nvidia-smi said when it gave up, in plain words, with what to do. The texts and exit codes are those of drivers
 * 470 to 595; up to 555 the texts stand on stdout, later some on stderr. `code` is null after a signal.
 */
export const explainSmiFailure = (code: number | null, output: string): string => {
  const said = output.replace(/\s+/g, ' ').trim();
  const known = EXPLANATIONS.find(
    ({ text, exit }) => text.test(said) || (said === '' && exit !== null && exit === code),
  );
  const how = code === null ? 'was killed' : `ended with exit code ${code}`;
  if (known !== undefined) return `${known.plain} (nvidia-smi ${how}${said === '' ? '' : `: "${shorten(said)}"`})`;
  return said === '' ? `nvidia-smi ${how} and said nothing` : `nvidia-smi ${how}: "${shorten(said)}"`;
};

/**
 * What nvidia-smi 580 and later says on stderr beside good XML: it goes on with the GPUs that work, but node-nvidia-smi
 * takes any word for the end of it.
 */
export const explainSmiRemark = (text: string): string => {
  const said = shorten(text.replace(/\s+/g, ' ').trim());
  const lost = parseUnreachableGpus(text);
  if (lost.length === 0) return `nvidia-smi -q -x: ${said}`;
  const which = lost.map(({ index, pciBusId, trouble }) => `GPU ${index ?? pciBusId} cannot be reached (${trouble})`);
  return `${which.join(', ')}, and node-nvidia-smi then gives no other either: reboot the host, or leave that GPU out (nvidia-smi: "${said}")`;
};

/** A GPU that nvidia-smi names and cannot open; it says either its index or its place on the bus. */
export type UnreachableGpu = {
  readonly index: number | null;
  readonly pciBusId: string | null;
  /** The driver's word, such as "GPU is lost". */
  readonly trouble: string;
};

/**
 * The GPUs of lines such as `Unable to determine the device handle for GPU1: 1: GPU is lost.  Reboot the system to
 * recover this GPU` (580 and later), `… for GPU 1: Unknown Error` (470) or `… for GPU 0000:0A:00.0: …`.
 */
export const parseUnreachableGpus = (text: string): readonly UnreachableGpu[] =>
  [...text.matchAll(/device handle for GPU ?([\da-f:.]*[\da-f]): (?:\d+: )?([^.\n]+)/gi)].map(
    ([, which = '', words = '']) => ({
      index: /^\d{1,3}$/.test(which) ? Number(which) : null,
      pciBusId: parsePciBusId(which),
      trouble: words.trim(),
    }),
  );

/**
 * True when the program works and there is simply no GPU: a normal state. Beside a GPU that could not be opened the
 * same words (580 and later) mean that there is one, and that it is broken.
 */
export const saysNoGpu = (output: string): boolean =>
  /No devices (were )?found/i.test(output) && parseUnreachableGpus(output).length === 0;

/** In the order in which they are tried: the first text that fits wins. */
const EXPLANATIONS: readonly { readonly text: RegExp; readonly exit: number | null; readonly plain: string }[] = [
  {
    text: /device handle for GPU.*Unknown Error/i,
    exit: null,
    plain: 'a GPU does not answer the driver: look for its XID in the kernel log, reset it or reboot the host',
  },
  {
    text: /couldn't communicate with the NVIDIA driver/i,
    exit: 9,
    plain: 'the NVIDIA driver is not loaded: check `lsmod | grep nvidia`, reinstall it or reboot',
  },
  {
    text: /couldn't find libnvidia-ml/i,
    exit: 12,
    plain: "the driver's library libnvidia-ml.so.1 is missing: install the driver, in a container give it the GPUs",
  },
  {
    text: /version mismatch/i,
    exit: 18,
    plain: 'the driver was updated while the old one is still loaded: reboot or reload the nvidia modules',
  },
  {
    text: /GPU is lost|fallen off the bus/i,
    exit: 15,
    plain: 'a GPU has fallen off the bus, and this nvidia-smi then shows none at all: reboot the host',
  },
  {
    text: /Insufficient Permissions/i,
    exit: 4,
    plain: 'this user may not use the GPUs: check the rights of /dev/nvidia*',
  },
  {
    text: /blocked by the operating system/i,
    exit: 17,
    plain: 'the operating system blocks the GPU: check the cgroup or container settings',
  },
  { text: /No devices (were )?found/i, exit: 6, plain: 'the NVIDIA driver finds no GPU' },
  {
    text: /Failed to initialize NVML: Unknown Error/i,
    exit: 255,
    plain: 'the GPU access was cut: in a container, restart it (a systemd reload on the host does this)',
  },
];

const shorten = (text: string): string => (text.length <= 300 ? text : `${text.slice(0, 300)}…`);
