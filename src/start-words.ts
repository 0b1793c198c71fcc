import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { FirstLook } from './app.ts';
import type { RunState } from './core/run.ts';

/** What a person reads in the terminal once the service is up: where to look, what is watched, what is missing. */
export const describeStart = (
  look: FirstLook,
  login: { readonly ssh: boolean; readonly user: string | null },
): string => {
  const { port, hostname } = new URL(look.url);
  const lines: [string, string][] = [['Dashboard', look.url]];
  if (login.ssh)
    lines.push([
      'From afar',
      `ssh -L ${port}:${hostname}:${port} ${login.user ?? 'you'}@this-host, then the same address`,
    ]);
  for (const folder of look.settings.watch) {
    lines.push(['Watching', existsSync(folder) ? folder : `${folder} (does not exist yet: it is waited for)`]);
  }
  lines.push(['Runs', runWords(look)]);
  lines.push(['GPUs', look.gpus]);
  lines.push(['History', relative(process.cwd(), look.settings.db) || look.settings.db]);
  const simulated = look.simulated === null ? '' : `, simulated at ${look.simulated.speed} times real speed`;
  return `\nSignalbox ${look.version} is watching${simulated}.\n\n${lines.map(([name, words]) => `  ${name.padEnd(10)} ${words}`).join('\n')}\n\n  Ctrl+C ends it; the training does not notice.\n\n`;
};

const runWords = ({ runs }: FirstLook): string => {
  if (runs.length === 0) return 'none yet: a run appears here as soon as its folder has an args.yaml or a results.csv';
  const counts = new Map<RunState, number>();
  for (const { state } of runs) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${count} ${state.replace('_', ' ')}`).join(', ');
  return `${runs.length} found: ${states}`;
};
