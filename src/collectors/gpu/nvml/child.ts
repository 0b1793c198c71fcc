// The process that talks to the driver: started by collector.ts, which can kill it while a call hangs.
import { writeSync } from 'node:fs';
import { DriverGone } from './device.ts';
import { PCIE_WINDOW_MS } from './fields.ts';
import { dieWithParent, NvmlUnavailable, openNvml } from './library.ts';
import { createPace } from './pace.ts';
import { type ChildMessage, type ChildSettings, EXIT } from './protocol.ts';
import { explainDriver } from './return-codes.ts';
import { createSampler } from './sampler.ts';

const STDOUT = 1;
const STDERR = 2;
/** An empty line: from here on, silence is the driver's. */
const RUNS = '';

/** Synchronously: whoever started us is to have it before the next call to the driver, which may be the last. */
const write = (descriptor: number, text: string): void => {
  try {
    writeSync(descriptor, `${text}\n`);
  } catch {
    process.exit(EXIT.unread);
  }
};
const say = (message: ChildMessage): void => write(STDOUT, JSON.stringify(message));
const remark = (text: string): void => write(STDERR, text);

const bell = new Int32Array(new SharedArrayBuffer(4));
/**
 * Without the event loop, whose waking costs as much as asking three GPUs: nothing else ever happens in this process.
 * Signals still end it.
 */
const sleepUntil = (at: number): void => {
  Atomics.wait(bell, 0, 0, Math.max(0, at - performance.now()));
};

const end = (code: number, why: string): never => {
  remark(why);
  process.exit(code);
};

// collector.ts writes it from the same type.
const settings = JSON.parse(process.argv[2] ?? '') as ChildSettings;
// Ctrl-C in a terminal reaches us too; it is our parent that ends us, when it is done.
process.on('SIGINT', () => {});

const sample = async (): Promise<never> => {
  await dieWithParent();
  if (process.ppid !== settings.parent) process.exit(EXIT.unread);
  const nvml = await openNvml(settings.library);
  const sampler = createSampler({ nvml, intervalMs: settings.intervalMs, known: settings.known, say, remark });
  const pace = createPace(settings.intervalMs, remark);
  write(STDOUT, RUNS);
  if (!sampler.open()) end(EXIT.noGpu, 'the NVIDIA driver finds no GPU');

  let periodMs = settings.intervalMs;
  let dueAt = performance.now() + PCIE_WINDOW_MS;
  for (;;) {
    if (sampler.needsMark(periodMs)) {
      sleepUntil(dueAt - PCIE_WINDOW_MS);
      sampler.mark();
    }
    sleepUntil(dueAt);
    periodMs = pace.after(sampler.tick());
    dueAt = Math.max(dueAt + periodMs, performance.now() + PCIE_WINDOW_MS);
  }
};

try {
  await sample();
} catch (error) {
  if (error instanceof NvmlUnavailable) end(EXIT.unavailable, error.message);
  if (error instanceof DriverGone) end(EXIT.failing, explainDriver(error.code));
  throw error;
}
