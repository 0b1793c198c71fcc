import { majorOf } from './driver.js';

/**
 * What the fake nvidia-smi does wrong, as the real one does.
 *
 * @typedef {{ kind: 'error', code: number }
 *   | { kind: 'lost', gpu: number, word?: 'GPU is lost' | 'Unknown Error' }
 *   | { kind: 'hang', afterRounds: number }
 *   | { kind: 'die', afterRounds: number, code: number }
 *   | { kind: 'cell', field: string, text: string }
 *   | { kind: 'element', name: string, text: string }
 *   | { kind: 'slow', wallMs: number }
 *   | { kind: 'noCsv' }
 *   | { kind: 'truncated', bytes: number }
 *   | { kind: 'crlf' }
 *   | { kind: 'latin1' }} Fault error: what the driver answers to the start; die: the same, later; cell: in place of a field
 *   of the csv; element: in place of an element of the XML; slow: before the first word; truncated: killed when so much
 *   was written; latin1: what is not ASCII is no UTF-8 either
 */

/** What the program prints when the driver answers with this code. @type {Record<number, string>} */
export const ERROR_TEXTS = {
  4: 'Failed to initialize NVML: Insufficient Permissions',
  6: 'No devices were found',
  9: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n",
  12: "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display Driver is properly installed and present in your system.\nPlease also try adding directory that contains libnvidia-ml.so to your system PATH.",
  15: 'Failed to initialize NVML: GPU is lost',
  17: 'Failed to initialize NVML: GPU access blocked by the operating system',
  18: 'Failed to initialize NVML: Driver/library version mismatch',
  255: 'Failed to initialize NVML: Unknown Error',
};

/**
 * How the program ends on a code of the driver: its last words, which stand on stdout in every driver, and its exit code.
 * @param {number} code @param {string} driver
 */
export const givesUp = (code, driver) => {
  const text = `${ERROR_TEXTS[code] ?? ERROR_TEXTS[255]}\n`;
  const [, minor] = driver.split('.');
  if (code !== 18) return { text, exit: code in ERROR_TEXTS ? code : 255 };
  return majorOf(driver) < 500
    ? { text, exit: 255 }
    : { text: `${text}NVML library version: ${majorOf(driver)}.${minor}\n`, exit: code };
};

/** From driver 580 on a lost GPU is a warning on stderr and the others go on; before, it ends the program. @param {string} driver */
export const survivesLostGpu = (driver) => majorOf(driver) >= 580;

/** @param {string} driver @param {Extract<Fault, { kind: 'lost' }>} fault */
export const lostText = (driver, { gpu, word = 'GPU is lost' }) => {
  const which = majorOf(driver) < 500 ? `GPU ${gpu}` : `GPU${gpu}`;
  const again = survivesLostGpu(driver) ? `${gpu}: ` : '';
  const advice = word === 'GPU is lost' ? '.  Reboot the system to recover this GPU\n\n' : '\n';
  return `Unable to determine the device handle for ${which}: ${again}${word}${advice}`;
};
