import { setImmediate as breathe } from 'node:timers/promises';
import { namesIfAllowed, textIfAllowed } from './files.ts';
import { parseStat } from './stat.ts';

/** So many processes are read in one go, a few ms, before others have their turn. */
const AT_ONCE = 256;
/** No training has so many: what does is a build or a fork bomb, and not worth its price. */
const MAX_PROCESSES = 512;

/**
 * The pids below each of these roots, with the root, parents before their children; null for a tree that is too large.
 * It does not go into another tree of the roots: who is a root belongs to itself. By the kernel's own lists of children
 * (CONFIG_PROC_CHILDREN), else by one pass over all processes.
 */
export const findDescendants = async (
  procfs: string,
  roots: readonly number[],
): Promise<ReadonlyMap<number, readonly number[] | null>> => {
  const isRoot = new Set(roots);
  const listed = roots.every((root) => hasLists(procfs, root));
  const children = listed ? null : await childrenOfAll(procfs);
  const childrenOf = (pid: number) => children?.get(pid) ?? (children === null ? listedChildren(procfs, pid) : []);
  const trees = new Map<number, readonly number[] | null>();
  for (const root of isRoot) {
    const tree = [root];
    const found = new Set(tree);
    for (let i = 0; i < tree.length && tree.length <= MAX_PROCESSES; i++) {
      if (i % AT_ONCE === AT_ONCE - 1) await breathe();
      for (const child of childrenOf(tree[i] ?? root)) {
        if (found.has(child) || isRoot.has(child)) continue;
        found.add(child);
        tree.push(child);
      }
    }
    trees.set(root, tree.length > MAX_PROCESSES ? null : tree);
  }
  return trees;
};

/** A process that is gone needs no list. */
const hasLists = (procfs: string, pid: number): boolean => {
  if (textIfAllowed(`${procfs}/${pid}/stat`) === null) return true;
  return textIfAllowed(`${procfs}/${pid}/task/${pid}/children`) !== null;
};

/** Each thread has a list of its own. */
const listedChildren = (procfs: string, pid: number): readonly number[] =>
  (namesIfAllowed(`${procfs}/${pid}/task`) ?? []).flatMap((thread) =>
    (textIfAllowed(`${procfs}/${pid}/task/${thread}/children`) ?? '').split(' ').flatMap((word) => Number(word) || []),
  );

const childrenOfAll = async (procfs: string): Promise<ReadonlyMap<number, readonly number[]>> => {
  const children = new Map<number, number[]>();
  const pids = (namesIfAllowed(procfs) ?? []).filter((name) => /^\d+$/.test(name));
  for (const [i, pid] of pids.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await breathe();
    const parent = parseStat(textIfAllowed(`${procfs}/${pid}/stat`))?.parent;
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [Number(pid)]);
    else siblings.push(Number(pid));
  }
  return children;
};
