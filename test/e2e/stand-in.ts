import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Why no Python training can run here; false where one can. */
export const noPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not here';

/** The words that train in `project/name`; what it does then is written in the file. */
export const standInWords = (project: string, name: string): readonly [string, ...string[]] => [
  'python3',
  fileURLToPath(new URL('../simulators/stand_in.py', import.meta.url)),
  'train',
  `project=${project}`,
  `name=${name}`,
  'epochs=9',
];

/** A Python process that trains nothing, word by word. */
export type StandIn = {
  readonly pid: number;
  /** Has it do this next: see test/simulators/stand_in.py. */
  readonly tell: (...words: readonly string[]) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** The moment at which it was gone. */
  readonly ended: Promise<number>;
};

/** Starts one of its own, with its output beside the run or anywhere else; without `log` nobody hears it. */
export const startStandIn = (
  cwd: string,
  [program, ...words]: readonly [string, ...string[]],
  log: number | 'ignore' = 'ignore',
): StandIn => {
  const child: ChildProcess = spawn(program, words, { cwd, stdio: ['pipe', log, log] });
  const { pid, stdin } = child;
  if (pid === undefined || stdin === null) throw new Error(`${program} could not be started`);
  // It may have been killed before it has read everything.
  stdin.on('error', () => {});
  return {
    pid,
    tell: (...words) => stdin.write(words.map((word) => `${word}\n`).join('')),
    kill: (signal) => child.kill(signal),
    ended: once(child, 'exit').then(() => Date.now()),
  };
};
