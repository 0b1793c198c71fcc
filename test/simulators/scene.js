/**
 * A simulation as a function of time: what is on every GPU, and what the driver would know of it. The fake nvidia-smi and
 * the timeline of the stub NVML library both ask this, so they say the same.
 *
 * @typedef {import('./scenario.js').Simulation} Simulation
 * @typedef {import('./scenario.js').Training} Training
 * @typedef {object} Held a process and what it does
 * @property {number | null} pid null: the trainer writes its own into a file
 * @property {string} name
 * @property {Training | null} training
 * @property {number | null} mig place in the GPU's list of instances
 * @property {number} memoryMib
 * @property {number} utilization %
 *
 * @typedef {object} Counters since the simulation's start
 * @property {number} eccCorrected
 * @property {number} eccUncorrected
 * @property {number} rowsCorrected
 * @property {number} rowsUncorrected
 * @property {boolean} rowsPending
 * @property {boolean} rowsFailed
 * @property {number} replays
 *
 * @typedef {object} GpuLook
 * @property {import('./scenario.js').GpuPlan} gpu
 * @property {number} index
 * @property {import('./board.js').Board} board
 * @property {import('./scenario.js').GpuState} state
 * @property {number | null} powerAverage W over the last second, where the board has it
 * @property {number} performanceState
 * @property {{ tx: number, rx: number }} pcie KB/s
 * @property {Counters} counters
 * @property {readonly Held[]} processes
 */
import { boardOf } from './board.js';
import { compileTraining, gpuStateOf } from './scenario.js';

/** MiB that the driver keeps of each GPU for itself. */
export const RESERVED_MIB = 617;
/** Of what is used on a GPU, the driver's part of each process. */
const CONTEXT_MIB = 4;

/** @param {number} index @returns {string} as nvidia-smi writes it */
export const busIdOf = (index) => `00000000:${index.toString(16).toUpperCase().padStart(2, '0')}:00.0`;

/** @param {Simulation} simulation */
export const createScene = ({ gpus, trainings, processes = [], incidents = [] }) => {
  const compiled = gpus.map((gpu, index) =>
    trainings.filter((plan) => (plan.gpu ?? 0) === index).map((plan) => compileTraining(plan, gpu)),
  );

  /** @param {number} index @param {number} t @returns {(import('./scenario.js').Load & { held: Omit<Held, 'memoryMib' | 'utilization'> })[]} */
  const loadsOn = (index, t) => [
    ...(compiled[index] ?? [])
      .filter((training) => training.isOn(t))
      .map((training) => {
        const { pid = null, mig = null } = training.plan;
        return { ...training.gpuAt(t), held: { pid, mig, name: 'python', training } };
      }),
    ...processes
      .filter(({ gpu = 0, fromS = 0, toS = Number.POSITIVE_INFINITY }) => gpu === index && t >= fromS && t < toS)
      .map(({ pid, mig = null, name, memoryMib, utilization = 0 }) => ({
        utilization,
        memoryUtilization: Math.round(utilization / 2),
        memoryMib: memoryMib + CONTEXT_MIB,
        held: { pid, mig, name, training: null },
      })),
  ];

  /** @param {import('./scenario.js').GpuPlan} gpu @param {number} index @param {number} t */
  const averagePower = (gpu, index, t) => {
    const lately = [0, 0.25, 0.5, 0.75].map((ago) => gpuStateOf(gpu, loadsOn(index, t - ago)).power);
    return lately.reduce((sum, power) => sum + power, 0) / lately.length;
  };

  /** @param {number} t seconds after the simulation's start @returns {GpuLook[]} */
  const at = (t) =>
    gpus.map((gpu, index) => {
      const board = boardOf(gpu.name);
      const loads = loadsOn(index, t);
      const state = gpuStateOf(gpu, loads);
      return {
        gpu,
        index,
        board,
        state,
        powerAverage: board.averagesPower ? averagePower(gpu, index, t) : null,
        performanceState: state.utilization > 0 ? 0 : 8,
        pcie: { tx: state.utilization * 900, rx: state.utilization * 8000 },
        counters: countersOf(incidents.filter((incident) => incident.gpu === index && incident.atS <= t)),
        processes: loads.map(({ held, memoryMib, utilization }) => ({
          ...held,
          utilization,
          memoryMib: memoryMib - CONTEXT_MIB,
        })),
      };
    });
  return { at };
};

/** @param {readonly import('./scenario.js').Incident[]} incidents @returns {Counters} */
const countersOf = (incidents) => {
  const counters = {
    eccCorrected: 0,
    eccUncorrected: 0,
    rowsCorrected: 0,
    rowsUncorrected: 0,
    rowsPending: false,
    rowsFailed: false,
    replays: 0,
  };
  for (const incident of incidents) {
    if (incident.kind === 'ecc') {
      counters.eccCorrected += incident.corrected ?? 0;
      counters.eccUncorrected += incident.uncorrected ?? 0;
    } else if (incident.kind === 'rows') {
      counters.rowsCorrected += incident.corrected ?? 0;
      counters.rowsUncorrected += incident.uncorrected ?? 0;
      counters.rowsPending ||= incident.pending ?? false;
      counters.rowsFailed ||= incident.failed ?? false;
    } else if (incident.kind === 'replays') counters.replays += incident.count;
  }
  return counters;
};
