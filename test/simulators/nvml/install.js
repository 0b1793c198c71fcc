import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { buildLibrary, SONAME } from './build.js';
import { generationOf } from './generations.js';
import { CONTROL, MAGIC, MAX_FAULTS, ORDERS, pack, VERSION } from './layout.js';
import { compileTimeline } from './timeline.js';

/**
 * What goes wrong with some calls, until `clear`. Nothing named: with every call that the driver answers, nvmlInit too.
 *
 * @typedef {object} Fault
 * @property {string} [function] only this one, by the full name
 * @property {number} [gpu] only with this GPU of the simulation (its handle too); calls on its MIG instances count as its own
 * @property {number} [field] only this id in nvmlDeviceGetFieldValues
 * @property {number} [code] what the call returns. 15 (lost) sticks to its GPU, and 9 and 18 to the library, until the
 *   last nvmlShutdown and the next nvmlInit
 * @property {number} [ms] how long the call takes, on the machine's clock
 * @property {boolean} [hangs] it does not come back before `clear`
 * @property {boolean} [removed] the GPU is taken out: its handle is that of a lost one, the next nvmlInit does not count it
 * @property {number} [after] calls that go well before, counted in each process
 *
 * @typedef {{ atMs: number, pid: number, thread: number, function: string, gpu: number | null }} Call atMs: when it began
 */

/** Ids of faults, in this process: the library tells by them how often it has met each. */
let faultId = 0;

/**
 * Puts a stub NVML library of the generation of `simulation.driver` on the machine. Its clock is the simulation's; with
 * `speed: 0` only `step` moves it. The same simulation is written to `simulationFile` for `installNvidiaSmi`, and steps
 * with it. Every training needs a pid. Throws where there is no compiler: see `noCompiler` in build.js.
 * @param {{ folder: string, simulation: import('../scenario.js').Simulation, spanS?: number }} place `spanS`: seconds of the
 *   simulation that have a course, 300; then all stays as it is
 */
export const installNvml = ({ folder, simulation, spanS = 300 }) => {
  mkdirSync(folder, { recursive: true });
  const files = {
    timeline: join(folder, 'timeline.bin'),
    control: join(folder, 'control.bin'),
    calls: join(folder, 'calls.log'),
    simulation: join(folder, 'simulation.json'),
    library: join(folder, SONAME),
  };
  /** @type {(Fault & { id: number })[]} */
  let faults = [];
  let turn = 0;
  let played = simulation;

  writeFileSync(files.control, pack(CONTROL, { magic: MAGIC, version: VERSION }));
  /** Fills the orders that do not hold, then lets them. */
  const command = () => {
    const { startAt, wallStartAt, speed, steppedMs = 0 } = played.clock;
    const orders = pack(ORDERS, {
      ...{ startAt, wallStartAt, speed, steppedMs },
      faultCount: faults.length,
      faults: faults.map(
        ({ id, gpu = -1, field = -1, code = 0, after = 0, ms = 0, hangs, removed, function: name }) => ({
          ...{ id, gpu, field, code, after, hangs: Number(hangs ?? false), removed: Number(removed ?? false) },
          latencyUs: ms * 1000,
          function: name ?? '',
        }),
      ),
    });
    turn += 1;
    const file = openSync(files.control, 'r+');
    writeSync(file, orders, 0, orders.length, offsetOf('orders') + (turn % 2) * ORDERS.size);
    const current = Buffer.alloc(4);
    current.writeUInt32LE(turn);
    writeSync(file, current, 0, current.length, offsetOf('current'));
    closeSync(file);
    replace(files.simulation, JSON.stringify(played));
  };
  /** @param {import('../scenario.js').Simulation} next */
  const play = (next) => {
    replace(files.timeline, compileTimeline(next, { spanS }));
    played = next;
    command();
  };
  play(simulation);
  // A file of its own is a library of its own to a process that loads several.
  copyFileSync(buildLibrary(generationOf(simulation.driver)), files.library);

  return {
    library: files.library,
    /** For the process that loads the library. */
    environment: {
      SIGNALBOX_STUB_TIMELINE: files.timeline,
      SIGNALBOX_STUB_CONTROL: files.control,
      SIGNALBOX_STUB_CALLS: files.calls,
    },
    simulationFile: files.simulation,
    /** One more fault. @param {Fault} fault */
    set: (fault) => {
      if (faults.length === MAX_FAULTS) throw new Error(`no more than ${MAX_FAULTS} faults at once`);
      faultId += 1;
      faults = [...faults, { ...fault, id: faultId }];
      command();
    },
    /** Heals everything and lets go what hangs. */
    clear: () => {
      faults = [];
      command();
    },
    /** Moves the clock on, beside what it does by itself. @param {number} ms */
    step: (ms) => {
      played = { ...played, clock: { ...played.clock, steppedMs: (played.clock.steppedMs ?? 0) + ms } };
      command();
    },
    /** Another simulation, of the same driver: its clock at once, its GPUs from the next first nvmlInit on. */
    play,
    /** All calls so far, of every process that had this environment. @returns {Call[]} */
    calls: () => (existsSync(files.calls) ? parseCalls(readFileSync(files.calls, 'utf8')) : []),
  };
};

/** @param {string} text @returns {Call[]} */
const parseCalls = (text) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [at = '', pid = '', thread = '', name = '', gpu = ''] = line.split(' ');
      return {
        atMs: Number(at) / 1000,
        pid: Number(pid),
        thread: Number(thread),
        function: name,
        gpu: gpu === '-1' ? null : Number(gpu),
      };
    });

/** A new file under the name: whoever reads has the old one or the new one. @param {string} path @param {string | Buffer} content */
const replace = (path, content) => {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
};

/** @param {string} field of CONTROL */
const offsetOf = (field) => {
  const found = CONTROL.fields.find(({ name }) => name === field);
  if (found === undefined) throw new Error(`the control file has no field ${field}`);
  return found.offset;
};
