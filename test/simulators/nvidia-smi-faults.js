/**
 * What the fake nvidia-smi can do wrong, as the real one does (texts and exit codes of driver 550).
 *
 * @typedef {{ kind: 'error', code: number }
 *   | { kind: 'lost', gpu: number }
 *   | { kind: 'hang', afterRounds: number }
 *   | { kind: 'die', afterRounds: number, code: number }
 *   | { kind: 'cell', field: string, text: string }
 *   | { kind: 'slow', wallMs: number }
 *   | { kind: 'noCsv' }} Fault
 */

/** What the program prints when the driver answers with this code. @type {Record<number, string>} */
export const ERROR_TEXTS = {
  4: 'Failed to initialize NVML: Insufficient Permissions',
  6: 'No devices were found',
  9: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n",
  12: "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display Driver is properly installed and present in your system.\nPlease also try adding directory that contains libnvidia-ml.so to your system PATH.",
  15: 'Failed to initialize NVML: GPU is lost',
  17: 'Failed to initialize NVML: GPU access blocked by the operating system',
  18: 'Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 550.163',
  255: 'Failed to initialize NVML: Unknown Error',
};

/** From driver 580 on a lost GPU is a warning on stderr and the others go on; before, it ends the program. @param {string} driver */
export const survivesLostGpu = (driver) => Number.parseInt(driver, 10) >= 580;

/** @param {string} driver @param {number} gpu */
export const lostText = (driver, gpu) =>
  `Unable to determine the device handle for GPU${gpu}: ${survivesLostGpu(driver) ? `${gpu}: ` : ''}GPU is lost.  Reboot the system to recover this GPU\n\n`;
