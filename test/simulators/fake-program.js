import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Puts an executable `nvidia-smi` into `folder` that answers from the simulation in `simulationFile`; returns its path.
 * It replaces itself by this Node, so a signal to its pid reaches the fake, and it needs nothing in the environment.
 * @param {{ folder: string, simulationFile: string }} place
 */
export const installNvidiaSmi = ({ folder, simulationFile }) => {
  mkdirSync(folder, { recursive: true });
  const program = join(folder, 'nvidia-smi');
  const script = fileURLToPath(new URL('./nvidia-smi.js', import.meta.url));
  const lines = [
    '#!/bin/sh',
    `SIGNALBOX_SIMULATION=${quote(simulationFile)} NODE_OPTIONS= exec ${quote(process.execPath)} ${quote(script)} "$@"`,
  ];
  writeFileSync(program, `${lines.join('\n')}\n`);
  chmodSync(program, 0o755);
  return program;
};

/** @param {string} word */
const quote = (word) => `'${word.replace(/'/g, `'\\''`)}'`;
