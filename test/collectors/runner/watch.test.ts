import { EventEmitter, once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { watchFolder, watchTrees } from '../../../src/collectors/runner/watch.ts';

/** Watches do not keep a process alive, and this one has nothing else to do. */
const keepAlive = (t: Test) => {
  const timer = setInterval(() => {}, 60_000);
  t.teardown(() => clearInterval(timer));
};

/** Hints as events named by their path in the folder; `arrives` does something, again and again, until its hint comes. */
const stage = (t: Test, tree: Parameters<Test['testdir']>[0]) => {
  const base = t.testdir(tree);
  const hints = new EventEmitter();
  const problems: unknown[] = [];
  keepAlive(t);
  const onHint = (path: string | null) => {
    if (path !== null) hints.emit(path.slice(base.length + 1), path);
  };
  const arrives = async (path: string, work: () => void) => {
    const arrived = once(hints, path, { signal: AbortSignal.timeout(10_000) });
    // chokidar arms its watches in its own time: what was written before is no change to it.
    work();
    const again = setInterval(work, 50);
    t.same(await arrived.finally(() => clearInterval(again)), [join(base, path)], 'the hint names the file');
  };
  return { base, arrives, onHint, onProblem: (error: unknown) => problems.push(error), problems };
};

t.test('a folder hints of each file that changes in it', async (t) => {
  const { base, arrives, onHint, onProblem, problems } = stage(t, { exp: { 'results.csv': '' } });
  const watch = watchFolder(join(base, 'exp'), onHint, onProblem);
  t.teardown(watch.close);
  await watch.refresh();
  await arrives('exp/results.csv', () => appendFileSync(join(base, 'exp/results.csv'), 'epoch\n'));
  await arrives('exp/args.yaml', () => writeFileSync(join(base, 'exp/args.yaml'), ''));
  t.same(problems, []);
});

t.test('a folder that is not there yet, or is replaced, hints after the next refresh', async (t) => {
  const { base, arrives, onHint, onProblem, problems } = stage(t, {});
  const folder = join(base, 'exp');
  const watch = watchFolder(folder, onHint, onProblem);
  t.teardown(watch.close);
  await watch.refresh();
  mkdirSync(folder);
  await watch.refresh();
  await arrives('exp/a.txt', () => writeFileSync(join(folder, 'a.txt'), ''));
  renameSync(folder, `${folder}.old`);
  await watch.refresh();
  mkdirSync(folder);
  await watch.refresh();
  await arrives('exp/b.txt', () => writeFileSync(join(folder, 'b.txt'), ''));
  t.same(problems, []);
});

t.test('a watch that cannot be had is a problem, not an error', async (t) => {
  const { base, onHint, onProblem, problems } = stage(t, {});
  symlinkSync(join(base, 'self'), join(base, 'self'));
  const watch = watchFolder(join(base, 'self'), onHint, onProblem);
  await watch.refresh();
  t.match(problems, [{ code: 'ELOOP' }]);
  await watch.close();
});

t.test('trees hint of files of the given names, at any depth, also where a root appears later', async (t) => {
  const { base, arrives, onHint, onProblem, problems } = stage(t, { real: {} });
  symlinkSync(join(base, 'real'), join(base, 'linked'));
  const roots = ['linked', 'not/there/yet', '.hidden/images'].map((root) => join(base, root));
  const watch = watchTrees({ roots, files: ['args.yaml', 'results.csv'], leavesOut: () => false }, onHint, onProblem);
  t.teardown(watch.close);
  const create = (path: string) => () => {
    mkdirSync(join(base, path, '..'), { recursive: true });
    writeFileSync(join(base, path), '');
  };
  await arrives('not/there/yet/a/exp/args.yaml', create('not/there/yet/a/exp/args.yaml'));
  await arrives('.hidden/images/exp/args.yaml', create('.hidden/images/exp/args.yaml'));
  await arrives('linked/exp/results.csv', create('real/exp/results.csv'));
  await arrives('linked/exp/results.csv', () => appendFileSync(join(base, 'real/exp/results.csv'), 'epoch\n'));
  rmSync(join(base, 'not'), { recursive: true });
  await arrives('not/there/yet/exp/args.yaml', create('not/there/yet/exp/args.yaml'));
  t.same(problems, []);
});
