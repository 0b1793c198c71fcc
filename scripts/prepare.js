// npm runs this after `npm ci` and before packing. A production install has no compiler: then there is
// nothing to build here, and what was built before (the package, the image) stays as it is.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
/** @param {string} name */
const has = (name) => {
  try {
    require.resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
};

/** @param {string} command @param {string[]} args */
const run = (command, args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
};

if (has('typescript') && has('vite')) run('npm', ['run', '-s', 'build']);
if (has('tap')) run('tap', ['build']);
