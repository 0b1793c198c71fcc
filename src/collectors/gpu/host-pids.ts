import { linkIfAllowed } from '../process/files.ts';

/** The inode of the first pid namespace, the host's, on every Linux (PROC_PID_INIT_INO in linux/proc_ns.h). */
const HOST_NAMESPACE = 'pid:[4026531836]';

/**
 * Why the pids that the driver tells mean nothing to us, with what to do; null where they do. The driver names processes
 * as the host does (or not at all), and a container has other numbers, unless it was given the host's.
 */
export const whyPidsAreForeign = (procfs: string): string | null => {
  const namespace = linkIfAllowed(`${procfs}/self/ns/pid`);
  if (namespace === null || namespace === HOST_NAMESPACE) return null;
  return (
    'the driver names processes as the host does, and this container does not see the processes of the host: ' +
    'start it with docker run --pid=host (Kubernetes: hostPID: true)'
  );
};
