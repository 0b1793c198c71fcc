/**
 * The driver generations that the stub can be, and what tells them apart: which of its functions the library of a
 * generation exports and how long an entry of its process list is. Of branches 470.256, 535.261,
 * 550.163, 580.178 and 595.99; the early 535 is known for filling 32 bytes where 24 were agreed.
 *
 * @typedef {{ number: number, processStride: 24 | 32 }} Generation
 */

/** The driver version that stands for each generation. */
export const DRIVERS = {
  470: '470.256.02',
  535: '535.261.03',
  535.54: '535.54.03',
  550: '550.163.01',
  580: '580.178.04',
  595: '595.99.02',
};

const OLDEST = 470;

/** @param {string} driver such as 550.163.01 @returns {Generation} */
export const generationOf = (driver) => {
  const [major = 0, minor = 0] = driver.split('.').map(Number);
  if (major < OLDEST) throw new Error(`the stub library knows drivers from ${OLDEST} on, not ${driver}`);
  return { number: major, processStride: major === 535 && minor < 87 ? 32 : 24 };
};

/** Functions that came after 470: the first driver that has each. All others of the stub are in every generation. */
const SINCE = {
  nvmlDeviceGetMemoryInfo_v2: 510,
  nvmlDeviceGetComputeRunningProcesses_v3: 510,
  nvmlDeviceGetConfComputeMemSizeInfo: 530,
  nvmlDeviceGetCurrentClocksEventReasons: 535,
  nvmlDeviceGetRunningProcessDetailList: 535,
  nvmlDeviceGetPciInfoExt: 550,
  nvmlDeviceGetProcessesUtilizationInfo: 550,
  nvmlDeviceGetTemperatureV: 580,
  nvmlDeviceGetRemappedRows_v2: 580,
};

/** In the versions of 535 with the long entries this one was not there yet: callers tell them by that. */
const NOT_WITH_LONG_ENTRIES = 'nvmlDeviceGetRunningProcessDetailList';

/** Names that a library of this generation does not have. @param {Generation} generation */
export const missingIn = ({ number, processStride }) =>
  Object.entries(SINCE)
    .filter(([name, since]) => number < since || (name === NOT_WITH_LONG_ENTRIES && processStride === 32))
    .map(([name]) => name);
