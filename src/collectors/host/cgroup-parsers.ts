/** Where our process is in the hierarchy that has a controller. `mounts`: the names that hierarchy may be mounted by. */
export type CgroupPlace = { readonly version: 1 | 2; readonly mounts: readonly string[]; readonly path: string };

/**
 * The place of our own process for a controller such as `memory`, from /proc/self/cgroup (cgroups(7)): in version 1 the
 * hierarchy that has it, else the one of version 2, `0::/path`. null: there is none.
 */
export const parseCgroupPlace = (cgroup: string, controller: string): CgroupPlace | null => {
  let second: CgroupPlace | null = null;
  for (const line of cgroup.split('\n')) {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers.split(',').includes(controller)) return { version: 1, mounts: [controller, controllers], path };
    // Beside version 1 (`hybrid`) systemd mounts version 2 in a folder of its own.
    if (id === '0' && controllers === '') second = { version: 2, mounts: ['', 'unified'], path };
  }
  return second;
};

/** Version 1 says "no limit" by the largest number of pages that it can count, which JavaScript has not exactly. */
const NO_LIMIT = 2 ** 62;

/** Bytes; null: no limit (`max`), or no text that says one. */
export const parseMemoryLimit = (text: string): number | null => {
  const bytes = countOf(text);
  return bytes === null || bytes >= NO_LIMIT ? null : bytes;
};

/** A file that holds one number; null: it does not. */
export const countOf = (text: string): number | null => (/^\d+\s*$/.test(text) ? Number(text) : null);

/** Cores from `cpu.max`, such as `200000 100000`; also from version 1's quota and period beside each other. null: no limit. */
export const parseCpuLimit = (text: string): number | null => {
  const [, quota, period] = /^(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
  return quota === undefined || Number(period) === 0 ? null : Number(quota) / Number(period);
};

/** The number behind a key of `memory.stat` or `cpu.stat`. */
export const statOf = (text: string, key: string): number | null => {
  const count = new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1];
  return count === undefined ? null : Number(count);
};
