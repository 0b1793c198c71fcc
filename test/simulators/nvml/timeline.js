// Compiles a simulation into the file that the stub library answers from.
import { boardOf, fanOf } from '../board.js';
import { cudaOf } from '../driver.js';
import { busIdOf, createScene, RESERVED_MIB } from '../scene.js';
import { generationOf } from './generations.js';
import { CURVES, GPU, MAGIC, POINT, PROCESS, pack, TIMELINE, VERSION, XID } from './layout.js';

const MIB = 2 ** 20;
/** Seconds between two looks at the scene; a curve gets a point where its value changed. */
const STEP_S = 0.25;

/**
 * The bytes of timeline.bin: `spanS` seconds of the simulation, after which all stays as it was. Every process needs a
 * pid in its plan: the stub looks into no pid file.
 * @param {import('../scenario.js').Simulation} simulation
 * @param {{ spanS: number }} options
 */
export const compileTimeline = (simulation, { spanS }) => {
  const scene = createScene(simulation);
  const { gpus, driver, incidents = [] } = simulation;
  const courses = gpus.map(() => ({
    curves: new Map(CURVES.map((name) => [name, /** @type {Point[]} */ ([])])),
    instances: /** @type {Point[][]} */ ([]),
  }));
  /** @type {Map<string, Course>} */
  const processes = new Map();

  for (let step = 0; step <= spanS / STEP_S; step++) {
    const at = step * STEP_S * 1000;
    for (const look of scene.at(step * STEP_S)) {
      const course = courses[look.index];
      if (course === undefined) continue;
      const readings = readingsOf(look);
      for (const [name, curve] of course.curves) add(curve, at, readings[name]);
      for (const place of look.gpu.mig?.keys() ?? []) {
        course.instances[place] ??= [];
        add(course.instances[place], at, bytesOn(look, place));
      }
      noteProcesses(processes, look, at);
    }
  }
  for (const { curves } of courses) integrateAll(curves, spanS * 1000);

  /** @type {Point[]} */
  const points = [];
  /** @param {readonly Point[]} curve */
  const place = (curve) => {
    const first = points.length;
    for (const point of curve) points.push(point);
    return { first, count: curve.length };
  };
  const described = gpus.map((gpu, index) => ({
    ...describe(gpu, index),
    mig: (gpu.mig ?? []).map((instance, at) => ({
      ...instance,
      slices: Number.parseInt(instance.profile, 10),
      memory: instance.memoryMib * MIB,
      name: `${gpu.name} MIG ${instance.profile}`,
      memoryUsed: place(courses[index]?.instances[at] ?? []),
    })),
    curves: CURVES.map((name) => place(courses[index]?.curves.get(name) ?? [])),
  }));
  const held = [...processes.values()].map(({ gpu, mig, pid, name, memoryUsed, utilization }) => ({
    ...{ gpu, mig, pid, name },
    memoryUsed: place(memoryUsed),
    utilization: place(utilization),
  }));
  const xids = incidents
    .flatMap((incident) => (incident.kind === 'xid' ? [incident] : []))
    .sort((a, b) => a.atS - b.atS)
    .map(({ gpu, code, atS }) => ({ gpu, code, at: atS * 1000 }));
  return assemble(driver, described, held, xids, points);
};

/** @typedef {{ at: number, value: number }} Point at: ms after the simulation's start */
/** @typedef {{ gpu: number, mig: number, pid: number, name: string, memoryUsed: Point[], utilization: Point[] }} Course */
/** @typedef {import('../scene.js').GpuLook} GpuLook */
/** @typedef {typeof CURVES[number]} CurveName */

/** What holds between two looks; null: the board has no such thing. @param {GpuLook} look @returns {Partial<Record<CurveName, number | null>>} */
const readingsOf = ({ state, board, powerAverage, performanceState, pcie, counters, processes }) => ({
  utilization: state.utilization,
  memoryUtilization: state.memoryUtilization,
  memoryUsed: state.memoryMib * MIB,
  power: Math.round(state.power * 1000),
  powerAverage: powerAverage === null ? null : Math.round(powerAverage * 1000),
  temperature: state.temperature,
  temperatureMemory: board.hasMemoryTemperature ? state.temperature + 4 : null,
  fan: fanOf(board, state.temperature),
  clockSm: state.clockSm,
  clockMemory: state.clockMem,
  reasons: state.throttle,
  performanceState,
  pcieTx: pcie.tx,
  pcieRx: pcie.rx,
  replays: counters.replays,
  eccCorrected: board.hasEcc ? counters.eccCorrected : null,
  eccUncorrected: board.hasEcc ? counters.eccUncorrected : null,
  rowsCorrected: board.hasRemappedRows ? counters.rowsCorrected : null,
  rowsUncorrected: board.hasRemappedRows ? counters.rowsUncorrected : null,
  rowsPending: board.hasRemappedRows ? Number(counters.rowsPending) : null,
  rowsFailed: board.hasRemappedRows ? Number(counters.rowsFailed) : null,
  processes: processes.length,
});

/** @param {GpuLook} look @param {number} place of an instance */
const bytesOn = ({ processes }, place) =>
  processes.reduce((sum, { mig, memoryMib }) => (mig === place ? sum + memoryMib * MIB : sum), 0);

/** Who is there now; who was and is not any more holds nothing from here on. @param {Map<string, Course>} processes @param {GpuLook} look @param {number} at */
const noteProcesses = (processes, { index, processes: present }, at) => {
  const seen = new Set();
  for (const { pid, mig, name, memoryMib, utilization } of present) {
    if (pid === null) throw new Error(`a training on GPU ${index} has no pid in its plan`);
    const key = `${index} ${mig} ${pid}`;
    seen.add(key);
    const absent = at > 0 ? [{ at: 0, value: 0 }] : [];
    const fresh = { gpu: index, mig: mig ?? -1, pid, name, memoryUsed: absent, utilization: [...absent] };
    const course = processes.get(key) ?? fresh;
    processes.set(key, course);
    add(course.memoryUsed, at, memoryMib * MIB);
    add(course.utilization, at, utilization);
  }
  for (const [key, { gpu, memoryUsed }] of processes) if (gpu === index && !seen.has(key)) add(memoryUsed, at, 0);
};

/** A point where the value is another than before. @param {Point[] | undefined} curve @param {number} at @param {number | null | undefined} value */
const add = (curve, at, value) => {
  if (typeof value === 'number' && curve?.at(-1)?.value !== value) curve?.push({ at, value });
};

/** @param {Map<CurveName, Point[]>} curves @param {number} endMs */
const integrateAll = (curves, endMs) => {
  /** @param {CurveName} from @param {CurveName} to @param {(value: number) => number} rateOf per second */
  const integrate = (from, to, rateOf) => {
    const steps = curves.get(from) ?? [];
    let value = 0;
    const integral = steps.map((step, index) => {
      const before = steps[index - 1];
      if (before !== undefined) value += (rateOf(before.value) * (step.at - before.at)) / 1000;
      return { at: step.at, value };
    });
    const last = steps.at(-1);
    // The last slope goes on for ever: one more point behind the end says what it is.
    if (last)
      integral.push({ at: endMs + 1000, value: value + (rateOf(last.value) * (endMs + 1000 - last.at)) / 1000 });
    curves.set(to, integral);
  };
  integrate('power', 'energy', (milliwatts) => milliwatts);
  integrate('pcieTx', 'pcieTxBytes', (kilobytes) => kilobytes * 1000);
  integrate('pcieRx', 'pcieRxBytes', (kilobytes) => kilobytes * 1000);
  integrate('reasons', 'powerCapTime', (mask) => (mask & 0x4 ? 1e9 : 0));
  integrate('reasons', 'thermalTime', (mask) => (mask & 0x20 ? 1e9 : 0));
};

/** What does not change. @param {import('../scenario.js').GpuPlan} gpu @param {number} index */
const describe = (gpu, index) => {
  const board = boardOf(gpu.name);
  return {
    name: gpu.name,
    uuid: gpu.uuid,
    serial: `15630210${String(index).padStart(5, '0')}`,
    busId: busIdOf(index),
    bus: index,
    architecture: board.architectureId,
    capabilityMajor: board.capability[0],
    capabilityMinor: board.capability[1],
    persistence: 1,
    powerLimit: gpu.powerLimit * 1000,
    maxClockSm: 1410,
    maxClockMemory: 1215,
    maxLinkGeneration: board.pcieGeneration,
    memoryTotal: gpu.memoryMib * MIB,
    memoryReserved: RESERVED_MIB * MIB,
    migSupported: Number(board.hasMig),
    migCount: gpu.mig?.length ?? 0,
  };
};

/**
 * @param {string} driver @param {readonly Values[]} gpus @param {readonly Values[]} processes @param {readonly Values[]} xids
 * @param {readonly Values[]} points
 * @typedef {import('./layout.js').Values} Values
 */
const assemble = (driver, gpus, processes, xids, points) => {
  const parts = /** @type {const} */ ([
    [GPU, gpus],
    [PROCESS, processes],
    [XID, xids],
    [POINT, points],
  ]).map(([layout, records]) => Buffer.concat(records.map((values) => pack(layout, values))));
  const starts = parts.map((_, index) => parts.slice(0, index).reduce((sum, part) => sum + part.length, TIMELINE.size));
  const { number, processStride } = generationOf(driver);
  const header = pack(TIMELINE, {
    ...{ magic: MAGIC, version: VERSION, cuda: cudaOf(driver), generation: number, processStride, driver },
    ...{ gpuCount: gpus.length, processCount: processes.length, xidCount: xids.length },
    ...{ gpus: starts[0], processes: starts[1], xids: starts[2], points: starts[3] },
  });
  return Buffer.concat([header, ...parts]);
};
