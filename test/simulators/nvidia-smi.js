#!/usr/bin/env node
// A fake nvidia-smi: what the service calls of the real one, on a simulation (see scenario.js).
import { givesUp, lostText, survivesLostGpu } from './nvidia-smi-faults.js';
import { fieldOf, helpText, timestampOf } from './nvidia-smi-fields.js';
import { createOutput } from './nvidia-smi-output.js';
import { openStage } from './nvidia-smi-stage.js';
import { xmlLog } from './nvidia-smi-xml.js';
import { busIdOf } from './scene.js';

/** @typedef {import('./nvidia-smi-stage.js').Stage} Stage */

const WRONG_USE = 2;
const NO_DEVICES = 6;
/** What one `-q -x` holds the driver for, per GPU. */
const XML_MS_PER_GPU = 40;

const stage = openStage(process.env.SIGNALBOX_SIMULATION ?? '');
const { print, end } = createOutput(stage().fault);

/** @param {string[]} argv */
const main = async (argv) => {
  const { fault, driver } = stage();
  if (argv.includes('--help-query-gpu')) return print(helpText(driver));
  if (fault?.kind === 'slow') await wall(fault.wallMs);

  if (argv[0] === '-L') {
    misbehave(stage(), 1);
    return print(listOf(stage()));
  }
  if (argv.includes('-q') && argv.includes('-x')) {
    await wall(XML_MS_PER_GPU * stage().gpuCount);
    misbehave(stage(), 1);
    if (stage().looks().length === 0) end(NO_DEVICES, 'No devices were found\n');
    return print(withWords(xmlLog(stage()), fault));
  }
  const option = (/** @type {string} */ name) =>
    argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const gpuFields = option('--query-gpu')?.split(',');
  const appFields = option('--query-compute-apps')?.split(',');
  const format = option('--format')?.split(',') ?? [];
  if ((gpuFields ?? appFields) === undefined || !format.includes('csv')) {
    end(WRONG_USE, `Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n`);
  }
  if (fault?.kind === 'noCsv') end(WRONG_USE, 'Option "--query-gpu" is not recognized.\n');

  const units = !format.includes('nounits');
  const query = gpuFields ? queryGpus(gpuFields, units, driver) : queryApps(appFields ?? [], units);
  const loopMs = periodOf(argv);
  for (let round = 1; ; round++) {
    misbehave(stage(), round);
    if (stage().looks().length === 0) end(NO_DEVICES, 'No devices were found\n');
    if (round === 1 && !format.includes('noheader')) print(`${query.header}\n`);
    print(query.rows(stage()));
    if (loopMs === null) return;
    await nextRound(stage(), loopMs);
  }
};

/** On the period's own grid, so that rounds do not drift; a round that is late is left out. @param {Stage} stage @param {number} loopMs */
const nextRound = ({ clock, speed }, loopMs) => {
  // A clock that is moved by hand never comes to the next point: the machine's own then says when.
  if (speed === 0) return wall(loopMs);
  return clock.until((Math.floor(clock.now() / loopMs) + 1) * loopMs);
};

/** @param {string[]} fields @param {boolean} units @param {string} driver */
const queryGpus = (fields, units, driver) => {
  const columns = fields.map((name) => {
    const field = fieldOf(name, driver);
    return field ? { name, field } : end(WRONG_USE, `Field "${name}" is not a valid field to query.\n\n`);
  });
  return {
    header: columns.map(({ name, field: { unit } }) => (unit && units ? `${name} [${unit.trim()}]` : name)).join(', '),
    /** @param {Stage} stage */
    rows: ({ fault, looks }) =>
      looks()
        .map((look) => {
          const cells = columns.map(({ name, field }) => {
            const cell = fault?.kind === 'cell' && fault.field === name ? fault.text : (field.cell(look) ?? '[N/A]');
            return units && !String(cell).startsWith('[') ? `${cell}${field.unit}` : cell;
          });
          return `${cells.join(', ')}\n`;
        })
        .join(''),
  };
};

/** @param {string[]} fields @param {boolean} units */
const queryApps = (fields, units) => ({
  header: fields.map((name) => (name === 'used_gpu_memory' && units ? `${name} [MiB]` : name)).join(', '),
  /** With no process it prints nothing at all, as the real one. @param {Stage} stage */
  rows: ({ looks, processesOn }) =>
    looks()
      .flatMap(processesOn)
      .map(({ pid, memoryMib, look, name }) => {
        /** @type {Record<string, string>} */
        const cells = {
          timestamp: timestampOf(look.now),
          gpu_uuid: look.gpu.uuid,
          gpu_name: look.gpu.name,
          gpu_bus_id: busIdOf(look.index),
          pid: String(pid),
          process_name: name,
          used_gpu_memory: units ? `${memoryMib} MiB` : String(memoryMib),
        };
        return `${fields.map((field) => cells[field] ?? '[N/A]').join(', ')}\n`;
      })
      .join(''),
});

/** @param {Stage} stage */
const listOf = ({ looks }) => {
  const lines = looks().map(({ gpu: { name, uuid, mig = [] }, index }) => {
    const instances = mig.map(
      ({ profile, slot, uuid }) => `  MIG ${profile.padEnd(11)} Device ${String(slot).padStart(2)}: (UUID: ${uuid})\n`,
    );
    return `GPU ${index}: ${name} (UUID: ${uuid})\n${instances.join('')}`;
  });
  return lines.length === 0 ? 'No devices found.\n' : lines.join('');
};

/** @param {string} xml @param {Stage['fault']} fault */
const withWords = (xml, fault) =>
  fault?.kind === 'element'
    ? xml.replaceAll(new RegExp(`(<${fault.name}>)[^<]*`, 'g'), (_, tag) => `${tag}${fault.text}`)
    : xml;

/** @param {Stage} stage @param {number} round */
const misbehave = ({ fault, driver }, round) => {
  if (fault?.kind === 'error' || (fault?.kind === 'die' && round > fault.afterRounds)) {
    const { exit, text } = givesUp(fault.code, driver);
    end(exit, text);
  }
  if (fault?.kind === 'lost' && survivesLostGpu(driver)) print(lostText(driver, fault), 2);
  else if (fault?.kind === 'lost') end(fault.word === 'Unknown Error' ? 255 : 15, lostText(driver, fault));
  if (fault?.kind === 'hang') {
    if (process.listenerCount('SIGTERM') === 0) process.on('SIGTERM', () => {});
    if (round <= fault.afterRounds) return;
    // Blocks the thread like a driver call that never comes back: no signal but SIGKILL ends it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
};

/** `-lms N`, `-l N` in ms of the simulated clock; null: once. @param {string[]} argv */
const periodOf = (argv) => {
  const at = argv.findIndex((word) => word === '-lms' || word === '-l');
  return at < 0 ? null : Number(argv[at + 1]) * (argv[at] === '-l' ? 1000 : 1);
};

/** @param {number} ms of the machine's clock */
const wall = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

await main(process.argv.slice(2));
