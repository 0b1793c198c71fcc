import { spawn } from 'node:child_process';

/** How a program of the machine answered. `output` is stdout and stderr as one. */
export type ProgramAnswer =
  | { readonly kind: 'ended'; readonly code: number | null; readonly output: string; readonly tookMs: number }
  | { readonly kind: 'missing'; readonly code: string }
  | { readonly kind: 'hung'; readonly afterMs: number };

const MOST_CHARACTERS = 4 * 2 ** 20;

/** Runs a program to its end, at most for `limitMs`; then it is killed and not waited for. Never rejects. */
export const runProgram = (
  path: string,
  args: readonly string[],
  { limitMs, environment }: { readonly limitMs: number; readonly environment: NodeJS.ProcessEnv },
): Promise<ProgramAnswer> =>
  new Promise((resolve) => {
    const startedAt = performance.now();
    let output = '';
    const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve({ kind: 'hung', afterMs: limitMs });
    }, limitMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (output.length < MOST_CHARACTERS) output += text;
      });
    }
    child.on('error', (error) => {
      clearTimeout(limit);
      resolve({ kind: 'missing', code: 'code' in error ? String(error.code) : error.message });
    });
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ kind: 'ended', code, output, tookMs: performance.now() - startedAt });
    });
  });
