import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createRunFinder } from '../../../src/collectors/run/finder.ts';

/** A tree, a finder of it, and the folders that it told of since the last question, relative to the tree. */
const stage = (t: Test, tree: Parameters<Test['testdir']>[0], roots: readonly string[] = ['.']) => {
  const base = t.testdir(tree);
  const told: string[] = [];
  const warnings: object[] = [];
  const watched = new Set<string>();
  const finder = createRunFinder({
    settled: new Map(),
    roots: roots.map((root) => join(base, root)),
    onFolder: (path) => told.push(path.slice(base.length + 1)),
    isWatched: (path) => watched.has(path),
    log: { info: () => {}, warn: (facts) => warnings.push(facts), error: () => {} },
  });
  const look = async (...hints: string[]) => {
    const paths = hints.map((hint) => join(base, hint));
    await finder.collect(AbortSignal.timeout(10_000), paths.length > 0 ? paths : undefined);
    return told.splice(0).sort();
  };
  return { base, look, watched, warnings };
};

t.test('run folders are found at any depth, by any of their four files', async (t) => {
  const { look } = stage(t, {
    detect: { exp: { 'args.yaml': '' }, exp2: { 'results.csv': '' }, deep: { er: { exp3: { 'opt.yaml': '' } } } },
    exp4: { 'results.txt': '', nested: { 'args.yaml': '' } },
    other: { 'data.yaml': '' },
  });
  t.same(await look(), ['detect/deep/er/exp3', 'detect/exp', 'detect/exp2', 'exp4', 'exp4/nested']);
});

t.test('a root may be a run folder itself, and roots that overlap find a run once', async (t) => {
  const tree = { runs: { exp: { 'args.yaml': '' } } };
  t.same(await stage(t, tree, ['runs/exp']).look(), ['runs/exp']);
  t.same(await stage(t, tree, ['runs', '.', 'runs/exp', 'runs']).look(), ['runs/exp']);
});

t.test('checkpoints, packages, data sets and hidden folders are not searched', async (t) => {
  const { base, look } = stage(t, { exp: { 'args.yaml': '' } });
  for (const name of ['weights', 'node_modules', '.git', '.hidden', 'data/images', 'data/labels']) {
    mkdirSync(join(base, name, 'run'), { recursive: true });
    writeFileSync(join(base, name, 'run/args.yaml'), '');
  }
  t.same(await look(), ['exp']);
});

t.test('links are followed once, loops end, and a linked run is one run', async (t) => {
  const { base, look } = stage(t, { runs: { a: { 'args.yaml': '' } }, elsewhere: { b: { 'args.yaml': '' } } }, [
    'runs',
  ]);
  symlinkSync(join(base, 'elsewhere'), join(base, 'runs/link'));
  symlinkSync(join(base, 'runs'), join(base, 'runs/loop'));
  symlinkSync(join(base, 'runs/a'), join(base, 'runs/z-again'));
  t.same(await look(), ['runs/a', 'runs/link/b']);
});

t.test('a folder that cannot be read is said once and hides no other', async (t) => {
  const { base, look, warnings } = stage(t, { open: { 'args.yaml': '' } });
  symlinkSync(join(base, 'broken'), join(base, 'broken'));
  t.same(await look(), ['open']);
  await look('broken/args.yaml');
  t.match(warnings, [{ path: join(base, 'broken'), err: { code: 'ELOOP' } }]);
  t.equal(warnings.length, 1);
});

t.test('a root that is no folder or is not there yet is nothing', async (t) => {
  const { base, look, warnings } = stage(t, { file: '' }, ['file', 'not/there/yet']);
  t.same(await look(), []);
  mkdirSync(join(base, 'not/there/yet/exp'), { recursive: true });
  writeFileSync(join(base, 'not/there/yet/exp/args.yaml'), '');
  t.same(await look('not/there/yet/exp/args.yaml'), ['not/there/yet/exp']);
  t.same(warnings, []);
});

t.test('a pipe, a device or a folder that is called like a file of a run makes no run', async (t) => {
  const { base, look } = stage(t, { folder: { 'args.yaml': {} }, pipe: {}, device: {}, run: { 'args.yaml': '' } });
  execFileSync('mkfifo', [join(base, 'pipe/results.csv'), join(base, 'run/results.csv')]);
  symlinkSync('/dev/zero', join(base, 'device/results.csv'));
  t.same(await look(), ['run']);
});

t.test('a run that ended while its own collector looked at it is not told of again, until it stirs', async (t) => {
  const { base, look, watched } = stage(t, { exp: { 'results.csv': 'epoch\n1\n' } });
  t.same(await look('exp/results.csv'), ['exp']);
  watched.add(join(base, 'exp'));
  appendFileSync(join(base, 'exp/results.csv'), '2\n');
  // The finder rests between two walks: one has come by when it tells of a folder that is new.
  mkdirSync(join(base, 'new'));
  writeFileSync(join(base, 'new/args.yaml'), '');
  let told: string[] = [];
  while (told.length === 0) told = await look();
  t.same(told, ['new']);
  watched.clear();
  t.same(await look('exp/results.csv'), []);
  appendFileSync(join(base, 'exp/results.csv'), '3\n');
  t.same(await look('exp/results.csv'), ['exp']);
});

t.test('a run is told of again when its files change while nobody looks at it', async (t) => {
  const { base, look, watched } = stage(t, { exp: { 'args.yaml': '', 'results.csv': 'epoch\n1\n' } });
  const csv = join(base, 'exp/results.csv');
  t.same(await look(), ['exp']);
  t.same(await look('exp/results.csv'), []);
  watched.add(join(base, 'exp'));
  appendFileSync(csv, '2\n');
  t.same(await look('exp/results.csv'), [], 'its own collector sees it');
  watched.clear();
  t.same(await look('exp/results.csv'), ['exp'], 'what was written meanwhile may not have been seen');
  t.same(await look('exp/results.csv'), []);
  appendFileSync(csv, '3\n');
  t.same(await look('exp/results.csv'), ['exp']);
});

t.test('a folder that was renamed is told of under its new name', async (t) => {
  const { base, look } = stage(t, { exp: { 'args.yaml': '' } });
  t.same(await look('exp/args.yaml'), ['exp']);
  renameSync(join(base, 'exp'), join(base, 'best'));
  t.same(await look(), ['best']);
});
