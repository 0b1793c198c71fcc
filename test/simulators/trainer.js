#!/usr/bin/env node
// A training that trains nothing: a real process that writes a real run folder the way Ultralytics 8.3.199 does, in
// the simulated time, with the simulated time on every file.
//   node trainer.js train name=NAME project=FOLDER      (SIGNALBOX_SIMULATION names the simulation)
import {
  closeSync,
  futimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createClock } from './clock.js';
import { compileTraining, STARTUP_S } from './scenario.js';
import * as texts from './trainer-files.js';

/** @param {string} name */
const option = (name) => process.argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';

/** @type {import('./scenario.js').Simulation} */
const simulation = JSON.parse(readFileSync(process.env.SIGNALBOX_SIMULATION ?? '', 'utf8'));
const plan = simulation.trainings.find(({ name }) => name === option('name'));
const gpu = simulation.gpus[plan?.gpu ?? 0];
if (plan === undefined || gpu === undefined) throw new Error(`no training name=${option('name')} in the simulation`);

const training = compileTraining(plan, gpu);
const clock = createClock(simulation.clock);
const startedAt = simulation.clock.startAt + plan.startS * 1000;
const folder = join(option('project'), plan.name);
const pidFile = simulation.pidFolder === undefined ? null : join(simulation.pidFolder, `${plan.name}.pid`);

/** Seconds since the simulation's start. */
const simulatedS = () => (clock.now() - simulation.clock.startAt) / 1000;
/** Waits for a second of the run. @param {number} runS */
const reach = (runS) => clock.until(startedAt + runS * 1000);

/** The moment that a file shows: never ahead of the clock, whatever the run's own plan says. @param {number} runS */
const momentOf = (runS) => Math.min(clock.now(), startedAt + runS * 1000) / 1000;

/** @param {string} name @param {string} content @param {number} runS */
const write = (name, content, runS) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  utimesSync(path, momentOf(runS), momentOf(runS));
};

mkdirSync(join(folder, 'weights'), { recursive: true });
const log = openSync(join(folder, 'train.log'), 'a');
/** @param {string} text @param {number} runS */
const say = (text, runS) => {
  writeSync(log, text);
  futimesSync(log, momentOf(runS), momentOf(runS));
};

/** @param {number} code @returns {never} */
const leave = (code) => {
  closeSync(log);
  if (pidFile !== null) rmSync(pidFile, { force: true });
  process.exit(code);
};

const train = async () => {
  await reach(0);
  if (pidFile !== null) writeFileSync(pidFile, String(process.pid));
  write('args.yaml', texts.yamlOf(texts.argsOf(training, option('project'))), 0);
  say(texts.consoleHead(training, folder, gpu), 1);
  await reach(STARTUP_S);
  for (const name of ['labels.jpg', 'train_batch0.jpg', 'train_batch1.jpg', 'train_batch2.jpg'])
    write(name, 'simulated', STARTUP_S);

  let best = -1;
  for (const [index, lap] of training.laps.entries()) {
    const epoch = index + 1;
    say(texts.epochHead(training, epoch), lap.startS);
    await drawBars(epoch, lap.startS, lap.trainedS);
    await reach(lap.endS - 1);
    say(texts.validationOf(training, epoch, lap.endS - lap.trainedS), lap.endS - 1);

    // The row comes before the checkpoints, each row in one write.
    const csv = openSync(join(folder, 'results.csv'), 'a');
    writeSync(csv, texts.csvOf(training, epoch, lap.endS - 1 - STARTUP_S));
    futimesSync(csv, momentOf(lap.endS - 1), momentOf(lap.endS - 1));
    closeSync(csv);
    await reach(lap.endS);
    const fitness = Number(training.rowOf(epoch)['metrics/mAP50-95(B)']);
    write('weights/last.pt', `checkpoint of epoch ${epoch}`, lap.endS);
    if (fitness > best) write('weights/best.pt', `checkpoint of epoch ${epoch}`, lap.endS);
    best = Math.max(best, fitness);
  }
  if (training.failsIn !== null) {
    const from = training.laps.at(-1)?.endS ?? STARTUP_S;
    say(texts.epochHead(training, training.failsIn), from);
    await drawBars(training.failsIn, from, training.endS, 0.5);
    say(texts.outOfMemory(gpu), training.endS);
    leave(1);
  }
  say(texts.consoleEnd(training, folder), training.endS);
  for (const name of ['weights/last.pt', 'weights/best.pt', 'confusion_matrix.png', 'BoxF1_curve.png'])
    write(name, 'stripped', training.endS);
  write('results.png', 'simulated', training.endS + 1);
  leave(0);
};

/** Four redraws of the bar. @param {number} epoch @param {number} fromS @param {number} toS @param {number} share of the epoch that is reached */
const drawBars = async (epoch, fromS, toS, share = 1) => {
  for (const part of [0.25, 0.5, 0.75, 1]) {
    const runS = fromS + (toS - fromS) * part;
    await reach(runS);
    say(texts.barOf(training, epoch, part * share, training.gpuAt(simulatedS()).memoryMib, runS - fromS), runS);
  }
};

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    say(texts.INTERRUPTED, Number.POSITIVE_INFINITY);
    leave(130);
  });
}

await train();
