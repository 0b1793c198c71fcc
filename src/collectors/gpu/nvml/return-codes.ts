/** The return codes that are acted on; 32-bit, from nvml.h (nvmlReturn_t). */
export const CODE = {
  success: 0,
  uninitialized: 1,
  notSupported: 3,
  notFound: 6,
  insufficientSize: 7,
  driverNotLoaded: 9,
  timeout: 10,
  functionNotFound: 13,
  gpuIsLost: 15,
  resetRequired: 16,
  versionMismatch: 18,
} as const;

/** The words of `nvmlErrorString`, without asking a library that may be the one that fails. */
export const wordsOf = (code: number): string => WORDS[code] ?? `Unknown Error (${code})`;

/** Nothing more can be had of this GPU before the library was initialised anew. */
export const tellsOfLostGpu = (code: number): boolean => code === CODE.gpuIsLost || code === CODE.resetRequired;

/** Nothing more can be had of the library as it is loaded: it has to be opened anew, by another process. */
export const tellsOfGoneDriver = (code: number): boolean =>
  code === CODE.uninitialized || code === CODE.driverNotLoaded || code === CODE.versionMismatch;

/** This board or this driver does not have it, now and in a second. */
export const isForGood = (code: number): boolean => code === CODE.notSupported || code === CODE.functionNotFound;

/** Why the driver does not answer at all, with what to do. */
export const explainDriver = (code: number): string =>
  `${WITH_WHAT_TO_DO[code] ?? 'the NVIDIA driver does not answer'} (NVML: "${wordsOf(code)}")`;

const WORDS: Readonly<Record<number, string>> = {
  1: 'Uninitialized',
  2: 'Invalid Argument',
  3: 'Not Supported',
  4: 'Insufficient Permissions',
  6: 'Not Found',
  7: 'Insufficient Size',
  9: 'Driver Not Loaded',
  10: 'Timeout',
  11: 'Interrupt Request Issue',
  12: 'NVML Shared Library Not Found',
  13: 'Function Not Found',
  14: 'Corrupted infoROM',
  15: 'GPU is lost',
  16: 'GPU requires reset',
  17: 'GPU access blocked by the operating system',
  18: 'Driver/library version mismatch',
  19: 'In use by another client',
  20: 'Insufficient Memory',
  21: 'No data',
  25: 'Argument version mismatch',
  26: 'Deprecated',
  27: 'Not Ready',
  28: 'GPU not found',
  29: 'Invalid state',
  999: 'Unknown Error',
};

const WITH_WHAT_TO_DO: Readonly<Record<number, string>> = {
  4: 'this user may not use the GPUs: check the rights of /dev/nvidia*',
  9: 'the NVIDIA driver is not loaded: check `lsmod | grep nvidia`, reinstall it or reboot',
  17: 'the operating system blocks the GPU: check the cgroup or container settings',
  18: 'the driver was updated while the old one is still loaded: reboot or reload the nvidia modules',
  999: 'the GPU access was cut: in a container, restart it (a systemd reload on the host does this)',
};
