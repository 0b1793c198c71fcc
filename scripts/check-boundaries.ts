// Holds the dependency rule (.dependency-cruiser.js) and fails when it looked at nothing: dependency-cruiser passes
// with "0 modules" when it cannot read the sources, and a check that cannot fail is none.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const folders = ['src', 'web'].filter((folder) => readdirSync('.').includes(folder));
const { status, stdout, stderr } = spawnSync(
  'depcruise',
  [...folders, '--config', '.dependency-cruiser.js', '--output-type', 'err-long'],
  { encoding: 'utf8', shell: process.platform === 'win32' },
);
process.stdout.write(stdout);
process.stderr.write(stderr);

const cruised = Number(/(\d+) modules/.exec(stdout)?.[1] ?? 0);
const sources = readdirSync('src', { recursive: true }).filter((name) => String(name).endsWith('.ts')).length;
if (cruised < sources) {
  console.error(`boundaries: ${cruised} modules cruised, but src alone has ${sources}: the check did not see them`);
  process.exit(1);
}
process.exit(status ?? 1);
