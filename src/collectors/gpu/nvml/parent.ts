import { writeSync } from 'node:fs';
import { DriverGone } from './device.ts';
import { dieWithParent, NvmlUnavailable } from './library.ts';
import { EXIT } from './protocol.ts';
import { explainDriver } from './return-codes.ts';

const STDOUT = 1;
const STDERR = 2;

/** Synchronously: whoever started us is to have it before the next call to the driver, which may be the last. */
const write = (descriptor: number, text: string): void => {
  try {
    writeSync(descriptor, `${text}\n`);
  } catch {
    process.exit(EXIT.unread);
  }
};

/** From here on, silence is the driver's. */
export const sayItRuns = (): void => write(STDOUT, '');

/** Tells the process that started this one. */
export const say = (message: object): void => write(STDOUT, JSON.stringify(message));

/** Words for a person. */
export const remark = (text: string): void => write(STDERR, text);

/** Ends this process, and says why. */
export const end = (code: number, why: string): never => {
  remark(why);
  process.exit(code);
};

/**
 * The life of a process that calls NVML: `work` until the parent dies, kills it, or the driver is gone. Everything that
 * is known to end it is said in words; what nobody thought of ends it by itself.
 */
export const live = async (parent: number, work: () => Promise<never>): Promise<never> => {
  // Ctrl-C in a terminal reaches us too; it is our parent that ends us, when it is done.
  process.on('SIGINT', () => {});
  try {
    await dieWithParent();
    if (process.ppid !== parent) process.exit(EXIT.unread);
    return await work();
  } catch (error) {
    if (error instanceof NvmlUnavailable) end(EXIT.unavailable, error.message);
    if (error instanceof DriverGone) end(EXIT.failing, explainDriver(error.code));
    throw error;
  }
};
