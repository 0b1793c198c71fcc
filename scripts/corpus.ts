// Runs the tests on real recordings that are not ours to publish. They lie beside the checkout, or nowhere: then there
// is nothing to run. What follows `--` goes to tap.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

const RECORDINGS = '../shared/fixtures';

if (!existsSync(RECORDINGS)) {
  console.log(`corpus: there are no recordings in ${RECORDINGS}; nothing to run`);
  process.exit(0);
}
const tests = globSync('test/corpus/*.corpus.ts');
if (tests.length === 0) {
  console.error('corpus: there are recordings, but no test/corpus/*.corpus.ts');
  process.exit(1);
}
const { status } = spawnSync('tap', [...tests, ...process.argv.slice(2)], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exit(status ?? 1);
