/**
 * What nvidia-smi said when it gave up, in plain words, with what to do. The texts and exit codes are those of drivers
 * 470 to 595; up to 555 the texts stand on stdout, later some on stderr. `code` is null after a signal.
 */
export const explainSmiFailure = (code: number | null, output: string): string => {
  const said = output.replace(/\s+/g, ' ').trim();
  const known = EXPLANATIONS.find(({ text, exit }) => text.test(said) || (said === '' && exit === code));
  const how = code === null ? 'was killed' : `ended with exit code ${code}`;
  if (known !== undefined) return `${known.plain} (nvidia-smi ${how}${said === '' ? '' : `: "${shorten(said)}"`})`;
  return said === '' ? `nvidia-smi ${how} and said nothing` : `nvidia-smi ${how}: "${shorten(said)}"`;
};

/** True when the program works and there is simply no GPU: a normal state. */
export const saysNoGpu = (output: string): boolean => /No devices (were )?found/i.test(output);

/** In the order in which they are tried: the first text that fits wins. */
const EXPLANATIONS: readonly { readonly text: RegExp; readonly exit: number; readonly plain: string }[] = [
  { text: /No devices (were )?found/i, exit: 6, plain: 'the NVIDIA driver finds no GPU' },
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
  {
    text: /Failed to initialize NVML: Unknown Error/i,
    exit: 255,
    plain: 'the GPU access was cut: in a container, restart it (a systemd reload on the host does this)',
  },
];

const shorten = (text: string): string => (text.length <= 300 ? text : `${text.slice(0, 300)}…`);
