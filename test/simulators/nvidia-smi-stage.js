// What the fake nvidia-smi finds: the simulation at the present of its clock, and the processes that are really there.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createClock } from './clock.js';
import { createScene } from './scene.js';

/**
 * @typedef {import('./scene.js').GpuLook & { count: number, driver: string, now: number }} Look
 * @typedef {{ pid: number, name: string, memoryMib: number, look: Look, instance: import('./scenario.js').MigPlan | null }} Process
 * @typedef {ReturnType<typeof stageOf>} Stage
 */

/** Reads the simulation again whenever its file is another one, so that a fault can come and go. @param {string} path */
export const openStage = (path) => {
  let read = '';
  /** @type {Stage | null} */
  let stage = null;
  return () => {
    const { mtimeMs, ino } = statSync(path);
    if (stage === null || read !== `${ino} ${mtimeMs}`) {
      read = `${ino} ${mtimeMs}`;
      stage = stageOf(JSON.parse(readFileSync(path, 'utf8')));
    }
    return stage;
  };
};

/** @param {import("./scenario.js").Simulation} simulation */
export const stageOf = (simulation) => {
  const { gpus, driver, fault, pidFolder } = simulation;
  const clock = createClock(simulation.clock);
  const scene = createScene(simulation);
  return {
    driver,
    fault: fault ?? null,
    clock,
    speed: simulation.clock.speed,
    gpuCount: gpus.length,
    /** Every GPU that can be opened. @returns {Look[]} */
    looks: () => {
      const now = clock.now();
      return scene
        .at((now - simulation.clock.startAt) / 1000)
        .filter(({ index }) => fault?.kind !== 'lost' || fault.gpu !== index)
        .map((look) => ({ ...look, count: gpus.length, driver, now }));
    },
    /** Who holds memory of a GPU; a trainer that has not said its pid yet is not there. @param {Look} look @returns {Process[]} */
    processesOn: (look) =>
      look.processes.flatMap(({ pid, name, memoryMib, mig, training }) => {
        const found = pid ?? (training === null ? null : readPid(pidFolder, training.plan.name));
        const instance = mig === null ? null : (look.gpu.mig?.[mig] ?? null);
        return found === null ? [] : [{ pid: found, name, memoryMib, look, instance }];
      }),
  };
};

/** Null where there is no such process any more: one that was killed leaves its file. @param {string | undefined} folder @param {string} name */
const readPid = (folder, name) => {
  if (folder === undefined) return null;
  try {
    const pid = Number(readFileSync(join(folder, `${name}.pid`), 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch {
    return null;
  }
};
