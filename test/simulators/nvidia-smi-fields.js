/**
 * The fields that the fake knows, how a cell of each is printed with its unit, and the first driver that has it.
 *
 * @typedef {import('./nvidia-smi-stage.js').Look} Look
 * @typedef {{ unit: string, since?: number, cell: (look: Look) => string | number | null }} Field null: this board has no such thing
 */
import { fanOf } from './board.js';
import { majorOf } from './driver.js';
import { busIdOf, RESERVED_MIB } from './scene.js';

/** In MIG mode nobody counts for the whole GPU. @param {(look: Look) => number} cell @returns {(look: Look) => number | null} */
const unlessMig = (cell) => (look) => (look.gpu.mig === undefined ? cell(look) : null);

/** @type {Record<string, Field>} */
const GPU_FIELDS = {
  timestamp: { unit: '', cell: ({ now }) => timestampOf(now) },
  driver_version: { unit: '', cell: ({ driver }) => driver },
  count: { unit: '', cell: ({ count }) => count },
  name: { unit: '', cell: ({ gpu }) => gpu.name },
  uuid: { unit: '', cell: ({ gpu }) => gpu.uuid },
  'pci.bus_id': { unit: '', cell: ({ index }) => busIdOf(index) },
  index: { unit: '', cell: ({ index }) => index },
  'fan.speed': { unit: ' %', cell: ({ board, state }) => fanOf(board, state.temperature) },
  pstate: { unit: '', cell: ({ performanceState }) => `P${performanceState}` },
  'clocks_event_reasons.active': {
    unit: '',
    since: 535,
    cell: ({ state }) => `0x${state.throttle.toString(16).padStart(16, '0').toUpperCase()}`,
  },
  'memory.total': { unit: ' MiB', cell: ({ gpu }) => gpu.memoryMib },
  'memory.reserved': { unit: ' MiB', since: 510, cell: () => RESERVED_MIB },
  'memory.used': { unit: ' MiB', cell: ({ state }) => state.memoryMib },
  'memory.free': { unit: ' MiB', cell: (look) => freeMib(look) },
  'utilization.gpu': { unit: ' %', cell: unlessMig(({ state }) => state.utilization) },
  'utilization.memory': { unit: ' %', cell: unlessMig(({ state }) => state.memoryUtilization) },
  'ecc.errors.corrected.volatile.total': {
    unit: '',
    cell: ({ board, counters }) => (board.hasEcc ? counters.eccCorrected : null),
  },
  'ecc.errors.uncorrected.volatile.total': {
    unit: '',
    cell: ({ board, counters }) => (board.hasEcc ? counters.eccUncorrected : null),
  },
  'remapped_rows.pending': {
    unit: '',
    since: 580,
    cell: ({ board, counters }) => (board.hasRemappedRows ? yesOrNo(counters.rowsPending) : null),
  },
  'remapped_rows.failure': {
    unit: '',
    since: 580,
    cell: ({ board, counters }) => (board.hasRemappedRows ? yesOrNo(counters.rowsFailed) : null),
  },
  'temperature.gpu': { unit: '', cell: ({ state }) => state.temperature },
  'temperature.memory': { unit: '', cell: (look) => memoryTemperature(look) },
  'power.draw': { unit: ' W', cell: ({ powerAverage, state }) => (powerAverage ?? state.power).toFixed(2) },
  'power.draw.average': { unit: ' W', since: 535, cell: ({ powerAverage }) => powerAverage?.toFixed(2) ?? null },
  'power.draw.instant': { unit: ' W', since: 535, cell: ({ state }) => state.power.toFixed(2) },
  'power.limit': { unit: ' W', cell: ({ gpu }) => gpu.powerLimit.toFixed(2) },
  'enforced.power.limit': { unit: ' W', cell: ({ gpu }) => gpu.powerLimit.toFixed(2) },
  'clocks.current.sm': { unit: ' MHz', cell: ({ state }) => state.clockSm },
  'clocks.current.memory': { unit: ' MHz', cell: ({ state }) => state.clockMem },
  'mig.mode.current': {
    unit: '',
    cell: ({ board, gpu }) => (board.hasMig ? (gpu.mig === undefined ? 'Disabled' : 'Enabled') : null),
  },
};

/** Other names for a field, as the real program has them. @type {Record<string, string>} */
const ALIASES = {
  gpu_name: 'name',
  gpu_uuid: 'uuid',
  gpu_bus_id: 'pci.bus_id',
  'clocks.sm': 'clocks.current.sm',
  'clocks.mem': 'clocks.current.memory',
  'clocks_throttle_reasons.active': 'clocks_event_reasons.active',
};

/** The names of old drivers that a newer one gave another name. */
const RENAMED = ['clocks_throttle_reasons.active'];

/** Undefined where this driver has no field of the name. @param {string} name @param {string} driver */
export const fieldOf = (name, driver) => {
  const field = GPU_FIELDS[ALIASES[name] ?? name];
  return isKnown(name, field, driver) ? field : undefined;
};

/** @param {string} name @param {Field | undefined} field @param {string} driver */
const isKnown = (name, field, driver) => RENAMED.includes(name) || (field?.since ?? 0) <= majorOf(driver);

/** The help as the real program prints it: a quoted name (or two), a sentence, an empty line. */
export const helpText = (driver = '550.163.01') => {
  const entries = Object.entries(GPU_FIELDS).flatMap(([field, facts]) => {
    const aliases = Object.keys(ALIASES).filter((alias) => ALIASES[alias] === field);
    const names = [field, ...aliases].filter((name) => isKnown(name, facts, driver));
    return names.length === 0 ? [] : [`${names.map((each) => `"${each}"`).join(' or ')}\nSimulated.\n`];
  });
  return `List of valid properties to query for the switch "--query-gpu":\n\n${entries.join('\n')}`;
};

/** From driver 510 on the driver's own part is neither used nor free. @param {Look} look */
export const freeMib = ({ gpu, state, driver }) =>
  Math.max(0, gpu.memoryMib - state.memoryMib - (majorOf(driver) >= 510 ? RESERVED_MIB : 0));

/** °C; null: no sensor of its own. @param {Look} look */
export const memoryTemperature = ({ board, state }) => (board.hasMemoryTemperature ? state.temperature + 4 : null);

/** @param {boolean} flag */
export const yesOrNo = (flag) => (flag ? 'Yes' : 'No');

/** Local time, `2025/09/09 14:17:51.378`. @param {number} at */
export const timestampOf = (at) => {
  const date = new Date(at);
  /** @param {number} number @param {number} digits */
  const pad = (number, digits = 2) => String(number).padStart(digits, '0');
  const day = `${date.getFullYear()}/${pad(date.getMonth() + 1)}/${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
};
