// Compiles the stub libnvidia-ml.so.1: once for each state of the sources, for all tests together.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingIn } from './generations.js';
import { cHeader } from './layout.js';

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/signalbox-nvml-stub/', import.meta.url));

export const SONAME = 'libnvidia-ml.so.1';

/** Why the stub cannot be built here, as tap's `skip` takes it; false where it can. */
export const noCompiler = (() => {
  if (process.platform !== 'linux') return 'the stub NVML library is built on Linux only';
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'no C compiler (cc) here, so no stub NVML library';
  }
})();

/**
 * The path of the library of a generation, built if it is not there yet. Throws what the compiler says.
 * @param {import('./generations.js').Generation} generation
 */
export const buildLibrary = (generation) => {
  const names = readdirSync(SOURCES).filter((name) => /\.[ch]$/.test(name));
  const sources = names.map((name) => ({ name, text: readFileSync(join(SOURCES, name), 'utf8') }));
  const files = [...sources, { name: 'layout.h', text: cHeader() }];
  const objects = join(CACHE, `objects-${hashOf(files)}`);
  make(objects, (folder) => {
    for (const { name, text } of files) writeFileSync(join(folder, name), text);
    cc(folder, [
      '-std=gnu11',
      '-O1',
      '-Wall',
      '-Wextra',
      '-fPIC',
      '-c',
      ...names.filter((name) => name.endsWith('.c')),
    ]);
  });

  const versions = versionScript(missingIn(generation));
  const place = join(CACHE, `library-${hashOf([files, versions])}`);
  make(place, (folder) => {
    writeFileSync(join(folder, 'versions'), versions);
    const parts = readdirSync(objects).filter((name) => name.endsWith('.o'));
    const flags = ['-shared', `-Wl,-soname,${SONAME}`, '-Wl,--version-script,versions', '-Wl,-z,defs'];
    cc(folder, [...flags, '-o', SONAME, ...parts.map((name) => join(objects, name)), '-lm']);
  });
  return join(place, SONAME);
};

/**
 * Fills a folder beside its place and renames it: several tests may do this at once, and the first one wins.
 * @param {string} place @param {(folder: string) => void} fill
 */
const make = (place, fill) => {
  if (existsSync(place)) return;
  mkdirSync(dirname(place), { recursive: true });
  const workshop = mkdtempSync(join(dirname(place), 'building-'));
  try {
    fill(workshop);
    renameSync(workshop, place);
  } catch (error) {
    rmSync(workshop, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
};

/** @param {string} folder @param {readonly string[]} args */
const cc = (folder, args) => execFileSync('cc', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });

/** @param {unknown} value */
const hashOf = (value) =>
  createHash('sha256')
    .update(JSON.stringify([process.arch, value]))
    .digest('hex')
    .slice(0, 16);

/** An exact name counts more than a wildcard. @param {readonly string[]} missing */
const versionScript = (missing) => `{ global: nvml*; local: ${['*', ...missing].join('; ')}; };\n`;
