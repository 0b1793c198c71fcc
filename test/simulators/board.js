/**
 * What a board is by its name: the facts that decide which of its numbers the driver has.
 *
 * @typedef {object} Board
 * @property {string} architecture as nvidia-smi writes it
 * @property {number} architectureId as NVML counts it
 * @property {readonly [number, number]} capability of CUDA
 * @property {boolean} averagesPower its power is that of the last second; else, and on every A100, of the moment
 * @property {number} pcieGeneration
 * @property {boolean} hasFan else the server's own fans cool it
 * @property {boolean} hasMemoryTemperature memory with a sensor of its own: HBM
 * @property {boolean} hasEcc
 * @property {boolean} hasRemappedRows
 * @property {boolean} hasMig
 */

const FAN_AT_LEAST = 30;
const FAN_PER_DEGREE = 0.8;

/** @type {readonly [RegExp, Board][]} */
const BOARDS = [
  [/\b[BH]\d00|GH200/, { ...boardOfData('Hopper', 9, [9, 0], true), pcieGeneration: 5 }],
  [/\bA(100|30)\b/, boardOfData('Ampere', 7, [8, 0], false)],
  [/\bV100/, { ...boardOfData('Volta', 5, [7, 0], false), pcieGeneration: 3, hasRemappedRows: false, hasMig: false }],
  [/\bT4\b/, { ...boardWithout('Turing', 6, [7, 5], false), pcieGeneration: 3, hasEcc: true }],
  [/\bL40|\bL4\b/, { ...boardWithout('Ada Lovelace', 10, [8, 9], true), hasEcc: true }],
  [/\bRTX 40/, { ...boardWithout('Ada Lovelace', 10, [8, 9], true), hasFan: true }],
  [/\bRTX 30/, { ...boardWithout('Ampere', 7, [8, 6], true), hasFan: true }],
];

/** An A100 where the name says nothing else. @param {string} name @returns {Board} */
export const boardOf = (name) =>
  BOARDS.find(([pattern]) => pattern.test(name))?.[1] ?? boardOfData('Ampere', 7, [8, 0], false);

/** The fan's speed in %; null where there is none. @param {Board} board @param {number} temperature °C @returns {number | null} */
export const fanOf = ({ hasFan }, temperature) =>
  hasFan ? Math.min(100, Math.max(FAN_AT_LEAST, Math.round(temperature * FAN_PER_DEGREE))) : null;

/** @param {string} architecture @param {number} architectureId @param {readonly [number, number]} capability @param {boolean} averagesPower @returns {Board} */
function boardOfData(architecture, architectureId, capability, averagesPower) {
  return {
    architecture,
    architectureId,
    capability,
    averagesPower,
    pcieGeneration: 4,
    hasFan: false,
    hasMemoryTemperature: true,
    hasEcc: true,
    hasRemappedRows: true,
    hasMig: true,
  };
}

/** @param {string} architecture @param {number} architectureId @param {readonly [number, number]} capability @param {boolean} averagesPower @returns {Board} */
function boardWithout(architecture, architectureId, capability, averagesPower) {
  return {
    ...boardOfData(architecture, architectureId, capability, averagesPower),
    hasMemoryTemperature: false,
    hasEcc: false,
    hasRemappedRows: false,
    hasMig: false,
  };
}
