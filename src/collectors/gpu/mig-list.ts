/** A MIG instance as `nvidia-smi -L` names it. */
export type ListedMig = {
  /** UUID of the whole GPU. */
  readonly parent: string;
  /** Its place among the instances of that GPU. */
  readonly index: number;
  readonly uuid: string;
  /** Such as `1g.10gb`. */
  readonly profile: string;
};

/**
 * The MIG instances that `nvidia-smi -L` prints, as lines `  MIG 3g.40gb     Device  0: (UUID: MIG-…)` under that of
 * their GPU, `GPU 0: NAME (UUID: GPU-…)`. Other lines are passed over.
 */
export const parseMigList = (text: string): readonly ListedMig[] => {
  let parent: string | null = null;
  return text.split('\n').flatMap((line): readonly ListedMig[] => {
    const gpu = /^GPU \d+: .*\(UUID: (GPU-[^)]+)\)\s*$/.exec(line)?.[1];
    if (gpu !== undefined) parent = gpu;
    const [, profile, index, uuid] = /^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[^)]+)\)\s*$/.exec(line) ?? [];
    if (parent === null || profile === undefined || uuid === undefined) return [];
    return [{ parent, index: Number(index), uuid, profile }];
  });
};
