#!/usr/bin/env node
// A fake nvidia-smi: what the service calls of the real one, on a simulation (see scenario.js).
import { readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createClock } from './clock.js';
import { ERROR_TEXTS, lostText, survivesLostGpu } from './nvidia-smi-faults.js';
import { ALIASES, GPU_FIELDS, helpText, timestampOf } from './nvidia-smi-fields.js';
import { xmlLog } from './nvidia-smi-xml.js';
import { compileTraining, gpuStateAt } from './scenario.js';

const WRONG_USE = 2;
/** What one `-q -x` holds the driver for, per GPU. */
const XML_MS_PER_GPU = 40;

const path = process.env.SIGNALBOX_SIMULATION ?? '';

/** Reads the simulation again whenever its file has changed, so that a fault can come and go. */
const createStage = () => {
  let readAt = -1;
  let stage = stageOf(JSON.parse(readFileSync(path, 'utf8')));
  return () => {
    const { mtimeMs } = statSync(path);
    if (mtimeMs !== readAt) {
      readAt = mtimeMs;
      stage = stageOf(JSON.parse(readFileSync(path, 'utf8')));
    }
    return stage;
  };
};

/** @param {import('./scenario.js').Simulation} simulation */
const stageOf = (simulation) => {
  const { gpus, trainings, clock } = simulation;
  const compiled = gpus.map((gpu, index) =>
    trainings.filter((plan) => (plan.gpu ?? 0) === index).map((plan) => compileTraining(plan, gpu)),
  );
  return {
    ...simulation,
    clockNow: createClock(clock).now,
    /** @param {number} now */
    looks: (now) =>
      gpus.map((gpu, index) => {
        const state = gpuStateAt(gpu, compiled[index] ?? [], (now - clock.startAt) / 1000);
        return { gpu, index, count: gpus.length, driver: simulation.driver, now, state, training: state.training };
      }),
  };
};

/** @param {string[]} argv */
const main = async (argv) => {
  if (argv.includes('--help-query-gpu')) return print(helpText());
  const stage = createStage();
  const { fault, clock } = stage();
  if (fault?.kind === 'slow') await wall(fault.wallMs);
  if (fault?.kind === 'error') end(fault.code, `${ERROR_TEXTS[fault.code] ?? ''}\n`);

  const option = (/** @type {string} */ name) =>
    argv.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const gpuFields = option('--query-gpu')?.split(',');
  const appFields = option('--query-compute-apps')?.split(',');
  if (argv[0] === '-L') return print(listOf(stage()));
  if (argv.includes('-q') && argv.includes('-x')) {
    await wall(XML_MS_PER_GPU * stage().gpus.length);
    endIfLost(stage());
    return print(xmlLog(stage().looks(stage().clockNow()), stage().clockNow(), processesOn(stage())));
  }
  const format = option('--format')?.split(',') ?? [];
  if ((gpuFields ?? appFields) === undefined || !format.includes('csv')) {
    end(WRONG_USE, `Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n`);
  }
  if (fault?.kind === 'noCsv') end(WRONG_USE, 'Option "--query-gpu" is not recognized.\n');

  const units = !format.includes('nounits');
  const query = gpuFields ? queryGpus(gpuFields, units) : queryApps(appFields ?? [], units);
  if (!format.includes('noheader')) print(`${query.header}\n`);
  const loopMs = periodOf(argv);
  for (let round = 1; ; round++) {
    misbehave(stage(), round);
    print(query.rows(stage()));
    if (loopMs === null) return;
    // On the period's own grid, so that rounds do not drift; a round that is late is left out.
    const { now, until } = createClock(clock);
    await until((Math.floor(now() / loopMs) + 1) * loopMs);
  }
};

/** @param {string[]} fields @param {boolean} units */
const queryGpus = (fields, units) => {
  const columns = fields.map((name) => ({ name, field: GPU_FIELDS[ALIASES[name] ?? name] }));
  const wrong = columns.find(({ field }) => field === undefined);
  if (wrong) end(WRONG_USE, `Field "${wrong.name}" is not a valid field to query.\n\n`);
  return {
    header: columns
      .map(({ name, field }) => (field?.unit && units ? `${name} [${field.unit.trim()}]` : name))
      .join(', '),
    /** @param {ReturnType<typeof stageOf>} stage */
    rows: ({ fault, looks, clockNow }) =>
      looks(clockNow())
        .filter(({ index }) => fault?.kind !== 'lost' || fault.gpu !== index)
        .map((look) =>
          columns
            .map(({ name, field }) => {
              const cell = fault?.kind === 'cell' && fault.field === name ? fault.text : String(field?.cell(look));
              return units && !cell.startsWith('[') ? `${cell}${field?.unit}` : cell;
            })
            .join(', '),
        )
        .map((line) => `${line}\n`)
        .join(''),
  };
};

/** @param {string[]} fields @param {boolean} units */
const queryApps = (fields, units) => ({
  header: fields.map((name) => (name === 'used_gpu_memory' && units ? `${name} [MiB]` : name)).join(', '),
  /** With no process it prints nothing at all, as the real one. @param {ReturnType<typeof stageOf>} stage */
  rows: (stage) =>
    processesOn(stage)
      .map(({ pid, memoryMib, uuid, name }) => {
        /** @type {Record<string, string>} */
        const cells = {
          timestamp: timestampOf(stage.clockNow()),
          gpu_uuid: uuid,
          pid: String(pid),
          process_name: name,
          used_gpu_memory: units ? `${memoryMib} MiB` : String(memoryMib),
        };
        return `${fields.map((field) => cells[field] ?? '[N/A]').join(', ')}\n`;
      })
      .join(''),
});

/** The trainers that hold memory now; one whose process has not said its pid yet is not there. @param {ReturnType<typeof stageOf>} stage */
const processesOn = ({ looks, clockNow, pidFolder }) =>
  looks(clockNow()).flatMap(({ gpu, index, state, training }) => {
    const pid = training === null ? null : (training.plan.pid ?? readPid(pidFolder, training.plan.name));
    return pid === null ? [] : [{ pid, index, uuid: gpu.uuid, memoryMib: state.memoryMib - 4, name: 'python' }];
  });

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

/** @param {ReturnType<typeof stageOf>} stage */
const listOf = ({ gpus }) => gpus.map(({ name, uuid }, index) => `GPU ${index}: ${name} (UUID: ${uuid})\n`).join('');

/** @param {ReturnType<typeof stageOf>} stage @param {number} round */
const misbehave = (stage, round) => {
  const { fault } = stage;
  if (fault?.kind === 'error') end(fault.code, `${ERROR_TEXTS[fault.code] ?? ''}\n`);
  if (fault?.kind === 'die' && round > fault.afterRounds) end(fault.code, `${ERROR_TEXTS[fault.code] ?? ''}\n`);
  endIfLost(stage);
  if (fault?.kind === 'hang' && round > fault.afterRounds) {
    process.on('SIGTERM', () => {});
    // Blocks the thread like a driver call that never comes back: no signal but SIGKILL ends it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
};

/** @param {ReturnType<typeof stageOf>} stage */
const endIfLost = ({ fault, driver }) => {
  if (fault?.kind !== 'lost') return;
  if (survivesLostGpu(driver)) print(lostText(driver, fault.gpu), 2);
  else end(15, lostText(driver, fault.gpu));
};

/** `-lms N`, `-l N` in ms of the simulated clock; null: once. @param {string[]} argv */
const periodOf = (argv) => {
  const at = argv.findIndex((word) => word === '-lms' || word === '-l');
  return at < 0 ? null : Number(argv[at + 1]) * (argv[at] === '-l' ? 1000 : 1);
};

/** Synchronously, as one piece; when nobody reads any more the write fails and that is our end, as SIGPIPE's. @param {string} text */
const print = (text, descriptor = 1) => {
  try {
    if (text !== '') writeSync(descriptor, text);
  } catch {
    process.exit(141);
  }
};

/** @param {number} code @param {string} text @returns {never} */
const end = (code, text) => {
  print(text);
  process.exit(code);
};

/** @param {number} ms of the machine's clock */
const wall = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

await main(process.argv.slice(2));
