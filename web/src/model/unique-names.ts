/**
 * The shortest end of each path that no other path shares: `train`, or `exp7/train` when several folders are called
 * `train`. Both `/` and `\` divide. A path that is the end of another one stays whole.
 */
export const uniqueNames = (paths: readonly string[]): ReadonlyMap<string, string> => {
  const distinct = [...new Set(paths)];
  const parts = new Map(distinct.map((path) => [path, path.split(/[/\\]/).filter((part) => part !== '')]));
  const names = new Map<string, string>();
  let open = distinct;
  for (let length = 1; open.length > 0; length++) {
    const tails = new Map<string, string[]>();
    for (const path of open) {
      const tail = (parts.get(path) ?? []).slice(-length).join('/');
      tails.set(tail, [...(tails.get(tail) ?? []), path]);
    }
    open = [];
    for (const [tail, sharing] of tails) {
      const [only] = sharing;
      if (sharing.length === 1 && only !== undefined) names.set(only, tail);
      else {
        for (const path of sharing) {
          if (length >= (parts.get(path) ?? []).length) names.set(path, path);
          else open.push(path);
        }
      }
    }
  }
  return names;
};
