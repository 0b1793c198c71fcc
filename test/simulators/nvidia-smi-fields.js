/**
 * The fields that the fake knows, and how a cell of each is printed with its unit.
 *
 * @typedef {{ gpu: import('./scenario.js').GpuPlan, index: number, count: number, driver: string, now: number,
 *   state: import('./scenario.js').GpuState }} Look
 * @typedef {{ unit: string, cell: (look: Look) => string | number }} Field
 */

/** @type {Record<string, Field>} */
export const GPU_FIELDS = {
  timestamp: { unit: '', cell: ({ now }) => timestampOf(now) },
  driver_version: { unit: '', cell: ({ driver }) => driver },
  count: { unit: '', cell: ({ count }) => count },
  name: { unit: '', cell: ({ gpu }) => gpu.name },
  uuid: { unit: '', cell: ({ gpu }) => gpu.uuid },
  'pci.bus_id': { unit: '', cell: ({ index }) => `00000000:0${index}:00.0` },
  index: { unit: '', cell: ({ index }) => index },
  'fan.speed': { unit: ' %', cell: () => '[N/A]' },
  pstate: { unit: '', cell: ({ state }) => (state.utilization > 0 ? 'P0' : 'P8') },
  'clocks_event_reasons.active': {
    unit: '',
    cell: ({ state }) => `0x${state.throttle.toString(16).padStart(16, '0').toUpperCase()}`,
  },
  'memory.total': { unit: ' MiB', cell: ({ gpu }) => gpu.memoryMib },
  'memory.reserved': { unit: ' MiB', cell: () => 617 },
  'memory.used': { unit: ' MiB', cell: ({ state }) => state.memoryMib },
  'memory.free': { unit: ' MiB', cell: ({ gpu, state }) => gpu.memoryMib - state.memoryMib },
  'utilization.gpu': { unit: ' %', cell: ({ state }) => state.utilization },
  'utilization.memory': { unit: ' %', cell: ({ state }) => state.memoryUtilization },
  'ecc.errors.uncorrected.volatile.total': { unit: '', cell: () => 0 },
  'temperature.gpu': { unit: '', cell: ({ state }) => state.temperature },
  'temperature.memory': { unit: '', cell: ({ state }) => state.temperature + 4 },
  'power.draw': { unit: ' W', cell: ({ state }) => state.power.toFixed(2) },
  'power.draw.average': { unit: ' W', cell: () => '[N/A]' },
  'power.draw.instant': { unit: ' W', cell: ({ state }) => state.power.toFixed(2) },
  'power.limit': { unit: ' W', cell: ({ gpu }) => gpu.powerLimit.toFixed(2) },
  'enforced.power.limit': { unit: ' W', cell: ({ gpu }) => gpu.powerLimit.toFixed(2) },
  'clocks.current.sm': { unit: ' MHz', cell: ({ state }) => state.clockSm },
  'clocks.current.memory': { unit: ' MHz', cell: ({ state }) => state.clockMem },
};

/** Other names for a field, as the real program has them. @type {Record<string, string>} */
export const ALIASES = {
  gpu_name: 'name',
  gpu_uuid: 'uuid',
  'clocks.sm': 'clocks.current.sm',
  'clocks.mem': 'clocks.current.memory',
  'clocks_throttle_reasons.active': 'clocks_event_reasons.active',
};

/** Local time, `2025/09/09 14:17:51.378`. @param {number} at */
export const timestampOf = (at) => {
  const date = new Date(at);
  /** @param {number} number @param {number} digits */
  const pad = (number, digits = 2) => String(number).padStart(digits, '0');
  const day = `${date.getFullYear()}/${pad(date.getMonth() + 1)}/${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
};

/** The help as the real program prints it: a quoted name (or two), a sentence, an empty line. */
export const helpText = () => {
  const entries = Object.keys(GPU_FIELDS).map((name) => {
    const names = [name, ...Object.keys(ALIASES).filter((alias) => ALIASES[alias] === name)];
    return `${names.map((each) => `"${each}"`).join(' or ')}\nSimulated.\n`;
  });
  return `List of valid properties to query for the switch "--query-gpu":\n\n${entries.join('\n')}`;
};
