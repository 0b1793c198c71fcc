import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** It holds nothing; a small heap is collected in no time. */
const LEAN = ['--max-old-space-size=32', '--max-semi-space-size=1'];

/** How to start a program of this folder that calls NVML, with its settings. */
export const commandOf = (program: 'child' | 'events-child', settings: object): readonly [string, ...string[]] => {
  const path = fileURLToPath(new URL(`./${program}${extname(import.meta.filename)}`, import.meta.url));
  return [process.execPath, ...LEAN, path, JSON.stringify(settings)];
};

/** Ours, without what would make the child another Node. */
export const environmentOf = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...environment,
  NODE_OPTIONS: undefined,
});

/** A line of the child, which writes only what the type says; null: a library printed it. */
export const parseMessage = <Message>(line: string): Message | null => {
  if (!line.startsWith('{"')) return null;
  try {
    // Our own program wrote it.
    return JSON.parse(line) as Message;
  } catch {
    return null;
  }
};

const MAX_WHY_CHARACTERS = 300;

/** Why it ended: its last words, or that there were none. */
export const explainEndOf =
  (name: string) =>
  (code: number | null, output: string): string =>
    output.trim().split('\n').at(-1)?.slice(0, MAX_WHY_CHARACTERS) || `${name} ${code === null ? 'crashed' : 'ended'}`;
