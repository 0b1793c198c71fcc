import t from 'tap';
import { COLLECTORS } from '../../src/collectors/registry.ts';
import { createRunFinder } from '../../src/collectors/run-finder.ts';
import { runCollectorName } from '../../src/collectors/run-folder.ts';

t.test('the collectors of runs are known by the names that health and log give them', async (t) => {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const finder = createRunFinder({ roots: [], onFolder: () => {}, isWatched: () => false, log });
  const names = COLLECTORS.map(({ name }) => name);
  t.ok(names.includes(finder.name));
  t.ok(names.includes(runCollectorName('PATH')));
  t.equal(new Set(names).size, names.length);
});
