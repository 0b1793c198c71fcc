/**
 * The blocks of `nvidia-smi -q -x` that are not the same in every driver: names and order of drivers 470, 535, 550, 580
 * and 595.
 *
 * @typedef {import('./nvidia-smi-xml.js').Tree} Tree
 * @typedef {import('./nvidia-smi-stage.js').Look} Look
 */

import { majorOf } from './driver.js';

const NA = 'N/A';

/** @param {string} driver */
export const dtdOf = (driver) =>
  majorOf(driver) >= 570
    ? 'nvsmi_device_v13.dtd'
    : majorOf(driver) >= 520
      ? 'nvsmi_device_v12.dtd'
      : 'nvsmi_device_v11.dtd';

/** @param {Look} look @returns {Tree} */
export const reasonsBlock = ({ driver, state: { throttle } }) => {
  const word = majorOf(driver) >= 535 ? 'clocks_event_reason' : 'clocks_throttle_reason';
  const bits = /** @type {[string, number][]} */ ([
    ['gpu_idle', 0x1],
    ['applications_clocks_setting', 0x2],
    ['sw_power_cap', 0x4],
    ['hw_slowdown', 0x8],
    ['hw_thermal_slowdown', 0x40],
    ['hw_power_brake_slowdown', 0x80],
    ['sync_boost', 0x10],
    ['sw_thermal_slowdown', 0x20],
    ['display_clocks_setting', 0x100],
  ]);
  const active = bits.map(([name, bit]) => [`${word}_${name}`, throttle & bit ? 'Active' : 'Not Active']);
  return { [`${word}s`]: Object.fromEntries(active) };
};

/** @param {string} driver @param {{ total: number, reserved: number, used: number, free: number }} mib @returns {Tree} */
export const memoryBlock = (driver, { total, reserved, used, free }) => ({
  fb_memory_usage: {
    total: `${total} MiB`,
    ...(majorOf(driver) >= 510 ? { reserved: `${reserved} MiB` } : {}),
    used: `${used} MiB`,
    free: `${free} MiB`,
  },
});

/** @param {Look} look @returns {Tree} */
export const eccBlock = ({ driver, board, counters }) => {
  /** @param {number} count */
  const counted = (count) => (board.hasEcc ? count : NA);
  const sram =
    majorOf(driver) >= 535
      ? { sram_correctable: NA, sram_uncorrectable_parity: NA, sram_uncorrectable_secded: NA }
      : { sram_correctable: counted(0), sram_uncorrectable: counted(0) };
  const mode = board.hasEcc ? 'Enabled' : NA;
  return {
    ecc_mode: { current_ecc: mode, pending_ecc: mode },
    ecc_errors: {
      volatile: {
        ...sram,
        dram_correctable: counted(counters.eccCorrected),
        dram_uncorrectable: counted(counters.eccUncorrected),
      },
    },
  };
};

/** @param {Look} look @returns {Tree} */
export const powerBlock = ({ driver, gpu, state, performanceState, powerAverage }) => {
  const limit = `${gpu.powerLimit.toFixed(2)} W`;
  const draw = `${(powerAverage ?? state.power).toFixed(2)} W`;
  const power_state = majorOf(driver) >= 595 ? 'Requested functionality has been deprecated' : `P${performanceState}`;
  const limits = { current_power_limit: limit, requested_power_limit: limit, default_power_limit: limit };
  if (majorOf(driver) < 535) {
    return {
      power_readings: {
        power_state,
        power_management: 'Supported',
        power_draw: draw,
        power_limit: limit,
        default_power_limit: limit,
        enforced_power_limit: limit,
      },
    };
  }
  if (majorOf(driver) < 550) return { gpu_power_readings: { power_state, power_draw: draw, ...limits } };
  return {
    gpu_power_readings: {
      power_state,
      average_power_draw: powerAverage === null ? NA : `${powerAverage.toFixed(2)} W`,
      instant_power_draw: `${state.power.toFixed(2)} W`,
      ...limits,
    },
  };
};
