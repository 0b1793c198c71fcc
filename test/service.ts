import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A started product. */
export type Service = {
  readonly url: string;
  readonly pid: number;
  /** What it has logged so far, a JSON object a line. */
  readonly log: readonly string[];
  /** SIGTERM, unless it is already gone; resolves to its exit code. */
  readonly stop: () => Promise<number | null>;
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
};

/** Starts the built product as a user does and waits until it listens. Throws with its stderr when it ends before. */
export const startService = async (
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Service> => {
  const bin = fileURLToPath(new URL('../bin/signalbox.js', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [bin, 'serve', '--port', '0', ...flags], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout, stderr, pid } = child;
  if (stdout === null || stderr === null || pid === undefined) throw new Error('the service could not be started');
  const log: string[] = [];
  let errors = '';
  stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the service ended with ${code} before it listened: ${errors}`)));
    createInterface({ input: stdout }).on('line', (line) => {
      log.push(line);
      const { msg, url } = JSON.parse(line);
      if (msg === 'listening') resolve(url);
    });
  });
  return {
    url,
    pid,
    log,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      return child.exitCode;
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
};
