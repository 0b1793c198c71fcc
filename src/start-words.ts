import { existsSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import type { FirstLook } from './app.ts';
import { RUN_STATES } from './core/run.ts';

/** What a person reads in the terminal once the service is up: where to look, what is watched, what is missing. */
export const describeStart = (
  look: FirstLook,
  terminal: { readonly ssh: boolean; readonly user: string | null; readonly folder: string },
): string => {
  const { port, hostname } = new URL(look.url);
  const lines: [string, string][] = [['Dashboard', look.url]];
  if (terminal.ssh)
    lines.push([
      'From afar',
      `ssh -L ${port}:${hostname}:${port} ${terminal.user ?? 'you'}@this-host, then the same address`,
    ]);
  for (const folder of look.settings.watch) {
    lines.push(['Watching', existsSync(folder) ? folder : `${folder} (does not exist yet: it is waited for)`]);
  }
  lines.push(['Runs', runWords(look)]);
  lines.push(['GPUs', look.gpus]);
  lines.push(['History', nearPath(look.settings.db, terminal.folder)]);
  lines.push(['Log', 'the {…} lines, on stdout: "> signalbox.log" behind the command keeps them out of here']);
  const simulated = look.simulated === null ? '' : `, simulated at ${look.simulated.speed} times real speed`;
  return `\nSignalbox ${look.version} is watching${simulated}.\n\n${lines.map(([name, words]) => `  ${name.padEnd(10)} ${words}`).join('\n')}\n\n  Ctrl+C ends it; the training does not notice.\n\n`;
};

const runWords = ({ runs }: FirstLook): string => {
  const found = Object.values(runs).reduce((sum, count) => sum + count, 0);
  if (found === 0)
    return 'none yet: one is on the dashboard as soon as its folder has an args.yaml, opt.yaml, results.csv or results.txt';
  const states = RUN_STATES.flatMap((state) => {
    const count = runs[state];
    return count === 0 ? [] : [`${count} ${state === 'early_stopped' ? 'stopped early' : state}`];
  });
  return `${found} found: ${states.join(', ')}`;
};

/** A path as a person would type it: relative where it lies below the current folder. */
const nearPath = (path: string, folder: string): string => {
  const near = relative(folder, path);
  return near === '' || near.startsWith('..') || isAbsolute(near) ? path : near;
};
