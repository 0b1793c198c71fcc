import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that is not installed here; the message names the Debian package. */
export class MissingProgram extends Error {
  override name = 'MissingProgram';
}

/** The path of a program that the Debian package brings. Throws {@link MissingProgram}. */
export const findProgram = (name: string, debianPackage: string): string => {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
  if (found !== undefined) return found;
  throw new MissingProgram(`${name} is not on PATH; install the Debian package: apt-get install ${debianPackage}`);
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Runs a program to its end; throws with what it said when it fails. */
export const runProgram = async (path: string, args: readonly string[]): Promise<void> => {
  const { child, said } = start(path, args);
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${path} ${args.join(' ')} ended with ${code}: ${said()}`);
};

/** A server on loopback. */
export type Server = { readonly url: string; readonly stop: () => Promise<void> };

/** Starts a server and waits until `readyPath` answers 200. `args` gets its address, such as 127.0.0.1:9090. */
export const startServer = async (
  path: string,
  { args, readyPath }: { readonly args: (address: string) => readonly string[]; readonly readyPath: string },
): Promise<Server> => {
  const address = `127.0.0.1:${await freePort()}`;
  const { child, said } = start(path, args(address));
  const url = `http://${address}`;
  while (!(await answers(`${url}${readyPath}`))) {
    if (child.exitCode !== null) throw new Error(`${path} ended with ${child.exitCode}: ${said()}`);
    await sleep(50);
  }
  return {
    url,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
};

/** A program that ends with us, whatever ends us but SIGKILL. */
const start = (path: string, args: readonly string[]): { child: ChildProcess; said: () => string } => {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  let said = '';
  const hear = (chunk: Buffer): void => {
    said = `${said}${chunk}`.slice(-2000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return { child, said: () => said };
};

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
};

/** Bytes of all files below a folder. */
export const bytesBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
