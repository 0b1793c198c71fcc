/**
 * The two binary files that the stub library reads, as records: what is written here is packed by `pack`, and `cHeader`
 * turns it into the C structs of the stub, so the two sides cannot disagree. Little-endian, aligned as C does it.
 *
 * @typedef {'u32' | 'i32' | 'u64' | 'f64' | 'char'} Scalar
 * @typedef {readonly [name: string, type: Scalar | RecordLayout, count?: number]} Field a char of count n is a text
 * @typedef {{ name: string, size: number, align: number, fields: readonly Placed[] }} RecordLayout
 * @typedef {{ name: string, type: Scalar | RecordLayout, count: number, offset: number }} Placed
 * @typedef {string | number | bigint | Values | readonly (string | number | bigint | Values)[]} Value
 * @typedef {{ readonly [name: string]: Value | undefined }} Values what is left out is 0
 */

const SIZES = { u32: 4, i32: 4, u64: 8, f64: 8, char: 1 };
const C_TYPES = { u32: 'uint32_t', i32: 'int32_t', u64: 'uint64_t', f64: 'double', char: 'char' };

export const MAGIC = 0x4c425453;
export const VERSION = 1;
export const MAX_MIG = 7;
export const MAX_FAULTS = 32;

/** What changes with time. Those after `HELD` of them are interpolated and go on with their last slope; the others hold. */
export const CURVES = /** @type {const} */ ([
  'utilization',
  'memoryUtilization',
  'memoryUsed',
  'power',
  'powerAverage',
  'temperature',
  'temperatureMemory',
  'fan',
  'clockSm',
  'clockMemory',
  'reasons',
  'performanceState',
  'pcieTx',
  'pcieRx',
  'replays',
  'eccCorrected',
  'eccUncorrected',
  'rowsCorrected',
  'rowsUncorrected',
  'rowsPending',
  'rowsFailed',
  'processes',
  'energy',
  'pcieTxBytes',
  'pcieRxBytes',
  'powerCapTime',
  'thermalTime',
]);
export const HELD = CURVES.indexOf('energy');

/** @param {string} name @param {readonly Field[]} fields @returns {RecordLayout} */
const record = (name, fields) => {
  let offset = 0;
  let align = 1;
  const placed = fields.map(([field, type, count = 1]) => {
    const [size, own] = typeof type === 'string' ? [SIZES[type], SIZES[type]] : [type.size, type.align];
    offset = Math.ceil(offset / own) * own;
    align = Math.max(align, own);
    const at = offset;
    offset += size * count;
    return { name: field, type, count, offset: at };
  });
  return { name, fields: placed, align, size: Math.ceil(offset / align) * align };
};

export const POINT = record('point', [
  ['at', 'f64'],
  ['value', 'f64'],
]);

/** Points `first` to `first + count` of the file's one array; a curve without any is something the board does not have. */
export const CURVE = record('curve', [
  ['first', 'u32'],
  ['count', 'u32'],
]);

export const MIG = record('mig', [
  ['slot', 'u32'],
  ['gpuInstance', 'u32'],
  ['computeInstance', 'u32'],
  ['multiprocessors', 'u32'],
  ['slices', 'u32'],
  ['memory', 'u64'],
  ['name', 'char', 96],
  ['uuid', 'char', 96],
  ['memoryUsed', CURVE],
]);

export const GPU = record('gpu', [
  ['name', 'char', 96],
  ['uuid', 'char', 96],
  ['serial', 'char', 32],
  ['busId', 'char', 32],
  ['bus', 'u32'],
  ['architecture', 'u32'],
  ['capabilityMajor', 'u32'],
  ['capabilityMinor', 'u32'],
  ['persistence', 'u32'],
  ['powerLimit', 'u32'],
  ['maxClockSm', 'u32'],
  ['maxClockMemory', 'u32'],
  ['maxLinkGeneration', 'u32'],
  ['memoryTotal', 'u64'],
  ['memoryReserved', 'u64'],
  ['migSupported', 'u32'],
  ['migCount', 'u32'],
  ['mig', MIG, MAX_MIG],
  ['curves', CURVE, CURVES.length],
]);

/** `mig` is the place in the GPU's own list of instances, -1 where there is none. */
export const PROCESS = record('process', [
  ['gpu', 'u32'],
  ['mig', 'i32'],
  ['pid', 'u32'],
  ['name', 'char', 128],
  ['memoryUsed', CURVE],
  ['utilization', CURVE],
]);

export const XID = record('xid', [
  ['gpu', 'u32'],
  ['code', 'u32'],
  ['at', 'f64'],
]);

export const TIMELINE = record('timeline', [
  ['magic', 'u32'],
  ['version', 'u32'],
  ['cuda', 'u32'],
  ['generation', 'u32'],
  ['processStride', 'u32'],
  ['gpuCount', 'u32'],
  ['processCount', 'u32'],
  ['xidCount', 'u32'],
  ['driver', 'char', 80],
  ['gpus', 'u64'],
  ['processes', 'u64'],
  ['xids', 'u64'],
  ['points', 'u64'],
]);

/** See `Fault` in install.js. */
export const FAULT = record('fault', [
  ['id', 'u32'],
  ['gpu', 'i32'],
  ['field', 'i32'],
  ['code', 'i32'],
  ['after', 'u32'],
  ['hangs', 'u32'],
  ['removed', 'u32'],
  ['latencyUs', 'u32'],
  ['function', 'char', 64],
]);

export const ORDERS = record('orders', [
  ['startAt', 'f64'],
  ['wallStartAt', 'f64'],
  ['speed', 'f64'],
  ['steppedMs', 'f64'],
  ['faultCount', 'u32'],
  ['faults', FAULT, MAX_FAULTS],
]);

/** `current & 1` says which of the two orders holds; the writer fills the other one first. */
export const CONTROL = record('control', [
  ['magic', 'u32'],
  ['version', 'u32'],
  ['current', 'u32'],
  ['orders', ORDERS, 2],
]);

/** @param {RecordLayout} layout @param {Values} values */
export const pack = (layout, values) => {
  const buffer = Buffer.alloc(layout.size);
  packInto(buffer, 0, layout, values);
  return buffer;
};

/** @param {Buffer} buffer @param {number} base @param {RecordLayout} layout @param {Values} values */
const packInto = (buffer, base, layout, values) => {
  for (const { name, type, count, offset } of layout.fields) {
    const value = values[name];
    if (value === undefined) continue;
    if (type === 'char') {
      buffer.write(String(value), base + offset, count - 1, 'utf8');
      continue;
    }
    const size = typeof type === 'string' ? SIZES[type] : type.size;
    for (const [index, each] of (Array.isArray(value) ? value : [value]).entries()) {
      const at = base + offset + index * size;
      if (typeof type !== 'string') packInto(buffer, at, type, each);
      else if (type === 'u32') buffer.writeUInt32LE(Number(each), at);
      else if (type === 'i32') buffer.writeInt32LE(Number(each), at);
      else if (type === 'u64') buffer.writeBigUInt64LE(BigInt(each), at);
      else buffer.writeDoubleLE(Number(each), at);
    }
  }
};

/** The records as C, in the order in which they need each other. */
export const cHeader = () => {
  const structs = [POINT, CURVE, MIG, GPU, PROCESS, XID, TIMELINE, FAULT, ORDERS, CONTROL].map((layout) => {
    const fields = layout.fields.map(({ name, type, count }) => {
      const cType = typeof type === 'string' ? C_TYPES[type] : `struct ${type.name}`;
      return `  ${cType} ${snake(name)}${count > 1 ? `[${count}]` : ''};\n`;
    });
    const check = `_Static_assert(sizeof(struct ${layout.name}) == ${layout.size}, "${layout.name}");`;
    return `struct ${layout.name} {\n${fields.join('')}};\n${check}\n`;
  });
  const constants = { MAGIC, VERSION, MAX_MIG, MAX_FAULTS, HELD };
  const defines = Object.entries(constants).map(([name, value]) => `#define ${name} ${value}u\n`);
  const curves = CURVES.map((name) => `  CURVE_${snake(name).toUpperCase()},\n`);
  return `#pragma once\n#include <stdint.h>\n\n${defines.join('')}\nenum curve_id {\n${curves.join('')}};\n\n${structs.join('\n')}`;
};

/** @param {string} name */
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
