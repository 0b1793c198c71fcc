/** A file system as it is mounted. */
export type Mount = { readonly point: string; readonly type: string };

/**
 * /proc/self/mountinfo, see proc(5): any number of optional fields end with ` - `, and a space in a path is `\040`.
 * The last mount on a point is the one that is seen. Lines of another shape are left out.
 */
export const parseMounts = (mountinfo: string): readonly Mount[] => {
  const mounts = new Map<string, Mount>();
  for (const line of mountinfo.split('\n')) {
    const [place, source] = line.split(' - ');
    const point = place?.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
    const type = source?.split(' ')[0];
    if (point?.startsWith('/') && type) mounts.set(point, { point, type });
  }
  return [...mounts.values()];
};

/** The mount that a path lies on, by its name alone: the disk is not asked. null: none is known. */
export const mountOf = (path: string, mounts: readonly Mount[]): Mount | null => {
  let found: Mount | null = null;
  for (const mount of mounts) {
    const holds = mount.point === '/' || path === mount.point || path.startsWith(`${mount.point}/`);
    if (holds && (found === null || mount.point.length > found.point.length)) found = mount;
  }
  return found;
};
