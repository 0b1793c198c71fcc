/**
 * `nvidia-smi -q -x` in the element structure of driver 550 on an A100: names and order are the real ones, what this
 * simulation does not know is N/A.
 *
 * @typedef {{ [name: string]: string | number | Tree | Tree[] }} Tree
 * @typedef {import('./nvidia-smi-fields.js').Look} Look
 * @typedef {{ pid: number, index: number, memoryMib: number, name: string }} Process
 */

const NA = 'N/A';

/** @param {Look[]} looks @param {number} now @param {Process[]} processes */
export const xmlLog = (looks, now, processes) => {
  const date = new Date(now).toString().slice(0, 24);
  const head = {
    timestamp: `${date.slice(0, 10)} ${date.slice(16)} ${date.slice(11, 15)}`,
    driver_version: looks[0]?.driver ?? NA,
    cuda_version: '12.4',
    attached_gpus: looks.length,
  };
  const gpus = looks.map(
    (look) => `\t<gpu id="00000000:0${look.index}:00.0">\n${elements(gpuTree(look, processes), 2)}\t</gpu>\n`,
  );
  return `<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">\n<nvidia_smi_log>\n${elements(head, 1)}${gpus.join('')}</nvidia_smi_log>\n`;
};

/** @param {Look} look @param {Process[]} processes @returns {Tree} */
const gpuTree = ({ gpu, index, state }, processes) => ({
  product_name: gpu.name,
  product_brand: 'NVIDIA',
  product_architecture: 'Ampere',
  persistence_mode: 'Enabled',
  mig_mode: { current_mig: 'Disabled', pending_mig: 'Disabled' },
  mig_devices: 'None',
  uuid: gpu.uuid,
  minor_number: index,
  pci: {
    pci_bus: `0${index}`,
    pci_bus_id: `00000000:0${index}:00.0`,
    replay_counter: 0,
    tx_util: `${state.utilization * 900} KB/s`,
    rx_util: `${state.utilization * 8000} KB/s`,
  },
  fan_speed: NA,
  performance_state: state.utilization > 0 ? 'P0' : 'P8',
  clocks_event_reasons: reasons(state.throttle),
  fb_memory_usage: {
    total: `${gpu.memoryMib} MiB`,
    reserved: '617 MiB',
    used: `${state.memoryMib} MiB`,
    free: `${gpu.memoryMib - state.memoryMib} MiB`,
  },
  compute_mode: 'Default',
  utilization: {
    gpu_util: `${state.utilization} %`,
    memory_util: `${state.memoryUtilization} %`,
    encoder_util: '0 %',
    decoder_util: '0 %',
    jpeg_util: '0 %',
    ofa_util: '0 %',
  },
  ecc_mode: { current_ecc: 'Enabled', pending_ecc: 'Enabled' },
  ecc_errors: {
    volatile: {
      sram_correctable: 0,
      sram_uncorrectable_parity: 0,
      sram_uncorrectable_secded: 0,
      dram_correctable: 0,
      dram_uncorrectable: 0,
    },
  },
  temperature: { gpu_temp: `${state.temperature} C`, memory_temp: `${state.temperature + 4} C` },
  gpu_power_readings: {
    power_state: 'P0',
    average_power_draw: NA,
    instant_power_draw: `${state.power.toFixed(2)} W`,
    current_power_limit: `${gpu.powerLimit.toFixed(2)} W`,
    default_power_limit: `${gpu.powerLimit.toFixed(2)} W`,
  },
  clocks: {
    graphics_clock: `${state.clockSm} MHz`,
    sm_clock: `${state.clockSm} MHz`,
    mem_clock: `${state.clockMem} MHz`,
    video_clock: '1275 MHz',
  },
  processes: {
    process_info: processes
      .filter((process) => process.index === index)
      .map(({ pid, name, memoryMib }) => ({
        gpu_instance_id: NA,
        compute_instance_id: NA,
        pid,
        type: 'C',
        process_name: name,
        used_memory: `${memoryMib} MiB`,
      })),
  },
});

/** @param {number} mask @returns {Tree} */
const reasons = (mask) =>
  Object.fromEntries(
    /** @type {[string, number][]} */ ([
      ['gpu_idle', 0x1],
      ['applications_clocks_setting', 0x2],
      ['sw_power_cap', 0x4],
      ['hw_slowdown', 0x8],
      ['hw_thermal_slowdown', 0x40],
      ['hw_power_brake_slowdown', 0x80],
      ['sync_boost', 0x10],
      ['sw_thermal_slowdown', 0x20],
      ['display_clocks_setting', 0x100],
    ]).map(([name, bit]) => [`clocks_event_reason_${name}`, mask & bit ? 'Active' : 'Not Active']),
  );

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
