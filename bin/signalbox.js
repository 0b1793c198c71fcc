#!/usr/bin/env node
// Plain JavaScript that every Node understands: makes sure that a Node which can run the service does.
// (better-sqlite3 does not fail on an older one, it crashes.)
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 22)) {
  // The young generation stays as small as it starts: we make little garbage, and 30 MB are worth more to the training.
  setFlagsFromString('--semi-space-growth-factor=1');
  await import('../dist/main.js');
} else {
  const node = pinnedNode();
  if (node === null) {
    process.stderr.write(
      `signalbox needs Node 22.22 or newer, this is ${process.versions.node}: install a newer one, ` +
        'or run "npm ci", which brings the right one along\n',
    );
    process.exit(1);
  }
  handOver(node);
}

/** The Node that npm installed beside us, if there is one for this platform. */
function pinnedNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  try {
    const manifest = createRequire(import.meta.url).resolve(`node-${platform}-${process.arch}/package.json`);
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return null;
  }
}

/**
 * Runs the same command on another Node and becomes its shadow: signals go down, the exit code comes up.
 * @param {string} node
 */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  // At a terminal Ctrl+C reaches the child by itself.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  child.on('error', (error) => {
    process.stderr.write(`signalbox: ${node} cannot be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}
