import type { Cause } from '../core/alert.ts';

/** Why a collector does not succeed, as far as the words of its error say. */
export const collectorCause = (error: string | null): Cause => {
  const { code, text } = kindOf(error);
  const signals = error === null ? [] : ['the words of its error'];
  const confidence = code === 'other' ? 0.2 : 0.8;
  return { code, text, confidence, signals, missing: [] };
};

/** What to do about it, in order. */
export const collectorFix = (name: string, error: string | null): readonly string[] => [
  ...kindOf(error).fix,
  `Nothing has to be restarted here: ${name} is tried again by itself, and this ends when it succeeds.`,
];

/** Whether an error says that what is looked at is not on this machine: a normal state, where it never was. */
export const saysAbsent = (error: string): boolean => ABSENT.test(error);

const ABSENT =
  /\bENOENT\b|no devices (?:were )?found|finds no GPU|no NVIDIA GPU|not on PATH|is not there|not installed/i;

type Kind = {
  readonly code: string;
  readonly words: RegExp;
  readonly text: string;
  readonly fix: readonly string[];
};

/** The first whose words fit: what the driver says of itself comes before what may be said of anything. */
const KINDS: readonly Kind[] = [
  {
    code: 'gpu_lost',
    words: /GPU is lost|GPU_IS_LOST|fallen off the bus/i,
    text: 'A GPU has fallen off the bus: the driver does not reach it any more.',
    fix: [
      'Look for XID 79 in the kernel log (dmesg | grep -i xid), and for heat, power and the seat of the card.',
      'Reset the GPU (nvidia-smi --gpu-reset) when no training uses it, else reboot the host.',
    ],
  },
  {
    code: 'driver_mismatch',
    words: /version.{0,3}mismatch|driver was updated/i,
    text: 'The driver was updated while the old one is still loaded.',
    fix: ['Reload the nvidia kernel modules or reboot the host, when no training is running.'],
  },
  {
    code: 'driver_gone',
    words: /driver is not loaded|DRIVER_NOT_LOADED|communicate with the NVIDIA driver|libnvidia-ml|access was cut/i,
    text: 'The NVIDIA driver, or the access to it, is gone.',
    fix: [
      'Run nvidia-smi where the service runs, and lsmod | grep nvidia on the host: they say what the driver says.',
      'In a container: restart it with its GPUs (--gpus all); a systemd reload on the host can cut them off.',
    ],
  },
  {
    code: 'hung_child',
    words: /printed nothing|no tick|was killed|\bhangs?\b|\bhung\b/i,
    text: 'The process that asks the driver hung and was killed: the driver may hang.',
    fix: [
      'Run nvidia-smi by hand. If it hangs too, look for XID errors in the kernel log and for processes in state D.',
      'A driver that hangs is freed by a GPU reset or a reboot; let running trainings write a checkpoint before.',
    ],
  },
  {
    code: 'permission',
    words: /\b(?:EACCES|EPERM)\b|permission|may not (?:use|read)|blocked by the operating system/i,
    text: 'The user of the service may not read it.',
    fix: [
      'Look at the rights of what the error names (ls -ld), and give the user of the service the right to read it.',
      'In a container: mount it, and give it the devices (/dev/nvidia*).',
    ],
  },
  {
    code: 'storage',
    words: /\bENOSPC\b|\bSQLITE_|disk is full|database/i,
    text: 'What it found cannot be written to the database.',
    fix: [
      "Free space on the database's disk, and look at its rights: /readyz names the file and says if it is writable.",
    ],
  },
  {
    code: 'limits',
    words: /\b(?:EMFILE|ENFILE|ENOMEM|EAGAIN)\b|too many open files/i,
    text: 'The service has no more open files, processes or memory to be given.',
    fix: ['Raise the limit that the error names (ulimit -n, LimitNOFILE of the unit, the memory of the container).'],
  },
  {
    code: 'file_system',
    words: /\b(?:ESTALE|EIO|ENOTCONN|EHOSTDOWN|ETIMEDOUT|ENODEV)\b/,
    text: 'The file system does not answer as it should: a network share, or a disk that fails.',
    fix: ['Look at the mount (mount, dmesg) and list the folder by hand; mount the share anew where it is stale.'],
  },
  {
    code: 'timeout',
    words: /expected an answer within|in time|timed? ?out/i,
    text: 'It answers too slowly: a hanging disk, share or driver, or a machine that has no time left.',
    fix: ['Look at the load and I/O wait of the host, and at processes in state D (ps -eo pid,stat,wchan,cmd).'],
  },
  {
    code: 'gone',
    words: ABSENT,
    text: 'What it looks at was there and is gone.',
    fix: ['Look whether what the error names was moved, unmounted or removed.'],
  },
];

const NO_ERROR: Omit<Kind, 'words'> = {
  code: 'hanging_look',
  text: 'Its look has begun and does not end: a disk, a share or a driver hangs.',
  fix: ['Look for processes in state D (ps -eo pid,stat,wchan,cmd), and at network shares among the watched folders.'],
};

const OTHER: Omit<Kind, 'words'> = {
  code: 'other',
  text: 'Its error is not a known one.',
  fix: ['Read the error above and the log of the service, which says it once with its details.'],
};

const kindOf = (error: string | null): Omit<Kind, 'words'> => {
  if (error === null) return NO_ERROR;
  return KINDS.find(({ words }) => words.test(error)) ?? OTHER;
};
