/**
 * `nvidia-smi -q -x` in the element structure of the driver: names and order are the real ones, what this simulation
 * does not know is left out or N/A.
 *
 * @typedef {{ [name: string]: string | number | Tree | Tree[] }} Tree
 * @typedef {import('./nvidia-smi-stage.js').Look} Look
 * @typedef {import('./nvidia-smi-stage.js').Process} Process
 */
import { fanOf } from './board.js';
import { cudaOf, majorOf } from './driver.js';
import { freeMib, memoryTemperature, yesOrNo } from './nvidia-smi-fields.js';
import { dtdOf, eccBlock, memoryBlock, powerBlock, reasonsBlock } from './nvidia-smi-shapes.js';
import { busIdOf, RESERVED_MIB } from './scene.js';

const NA = 'N/A';

/** @param {import('./nvidia-smi-stage.js').Stage} stage */
export const xmlLog = ({ driver, looks, processesOn, clock, gpuCount }) => {
  const date = new Date(clock.now()).toString().slice(0, 24);
  const head = {
    timestamp: `${date.slice(0, 10)} ${date.slice(16)} ${date.slice(11, 15)}`,
    driver_version: driver,
    cuda_version: `${Math.floor(cudaOf(driver) / 1000)}.${(cudaOf(driver) % 1000) / 10}`,
    attached_gpus: gpuCount,
  };
  const gpus = looks().map(
    (look) => `\t<gpu id="${busIdOf(look.index)}">\n${elements(gpuTree(look, processesOn(look)), 2)}\t</gpu>\n`,
  );
  return `<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "${dtdOf(driver)}">\n<nvidia_smi_log>\n${elements(head, 1)}${gpus.join('')}</nvidia_smi_log>\n`;
};

/** @param {Look} look @param {Process[]} processes @returns {Tree} */
const gpuTree = (look, processes) => {
  const { driver, gpu, board, index, state, counters, pcie, performanceState } = look;
  const mig = board.hasMig ? (gpu.mig === undefined ? 'Disabled' : 'Enabled') : NA;
  const memoryDegrees = memoryTemperature(look);
  const fan = fanOf(board, state.temperature);
  /** @param {number} share */
  const unlessMig = (share) => (gpu.mig === undefined ? `${share} %` : NA);
  return {
    product_name: gpu.name,
    product_brand: 'NVIDIA',
    ...(majorOf(driver) >= 510 ? { product_architecture: board.architecture } : {}),
    persistence_mode: 'Enabled',
    mig_mode: { current_mig: mig, pending_mig: mig },
    mig_devices:
      gpu.mig === undefined ? 'None' : { mig_device: gpu.mig.map((each) => migTree(each, processes, driver)) },
    uuid: gpu.uuid,
    minor_number: index,
    pci: {
      pci_bus: busIdOf(index).slice(9, 11),
      pci_bus_id: busIdOf(index),
      replay_counter: counters.replays,
      tx_util: `${pcie.tx} KB/s`,
      rx_util: `${pcie.rx} KB/s`,
    },
    fan_speed: fan === null ? NA : `${fan} %`,
    performance_state: `P${performanceState}`,
    ...reasonsBlock(look),
    ...memoryBlock(driver, {
      total: gpu.memoryMib,
      reserved: RESERVED_MIB,
      used: state.memoryMib,
      free: freeMib(look),
    }),
    compute_mode: 'Default',
    utilization: {
      gpu_util: unlessMig(state.utilization),
      memory_util: unlessMig(state.memoryUtilization),
      encoder_util: unlessMig(0),
      decoder_util: unlessMig(0),
    },
    ...eccBlock(look),
    remapped_rows: board.hasRemappedRows
      ? {
          remapped_row_corr: counters.rowsCorrected,
          remapped_row_unc: counters.rowsUncorrected,
          remapped_row_pending: yesOrNo(counters.rowsPending),
          remapped_row_failure: yesOrNo(counters.rowsFailed),
        }
      : NA,
    temperature: {
      gpu_temp: `${state.temperature} C`,
      memory_temp: memoryDegrees === null ? NA : `${memoryDegrees} C`,
    },
    ...powerBlock(look),
    clocks: {
      graphics_clock: `${state.clockSm} MHz`,
      sm_clock: `${state.clockSm} MHz`,
      mem_clock: `${state.clockMem} MHz`,
      video_clock: '1275 MHz',
    },
    processes: { process_info: processes.map(processTree) },
  };
};

/** @param {import('./scenario.js').MigPlan} instance @param {Process[]} processes @param {string} driver @returns {Tree} */
const migTree = (instance, processes, driver) => {
  const used = processes.reduce((sum, each) => (each.instance === instance ? sum + each.memoryMib : sum), 0);
  return {
    index: instance.slot,
    gpu_instance_id: instance.gpuInstance,
    compute_instance_id: instance.computeInstance,
    device_attributes: { shared: { multiprocessor_count: instance.multiprocessors } },
    ecc_error_count: { volatile_count: { sram_uncorrectable: 0 } },
    ...memoryBlock(driver, { total: instance.memoryMib, reserved: 0, used, free: instance.memoryMib - used }),
  };
};

/** @param {Process} process @returns {Tree} */
const processTree = ({ pid, name, memoryMib, instance }) => ({
  gpu_instance_id: instance?.gpuInstance ?? NA,
  compute_instance_id: instance?.computeInstance ?? NA,
  pid,
  type: 'C',
  process_name: name,
  used_memory: `${memoryMib} MiB`,
});

/** @param {Tree} tree @param {number} depth @returns {string} */
const elements = (tree, depth) =>
  Object.entries(tree)
    .flatMap(([name, content]) => (Array.isArray(content) ? content : [content]).map((each) => ({ name, each })))
    .map(({ name, each }) => {
      const indent = '\t'.repeat(depth);
      const inner = typeof each === 'object' ? `\n${elements(each, depth + 1)}${indent}` : escapeText(String(each));
      return `${indent}<${name}>${inner}</${name}>\n`;
    })
    .join('');

/** @param {string} text */
const escapeText = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
