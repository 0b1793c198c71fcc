/** Ticks a second of the times in /proc, the same on every Linux that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

/**
 * When a process started, in ms since 1970, from the texts of `/proc/PID/stat` and `/proc/stat`; null where they do not
 * say. Pid and this moment together name a process for ever; a pid alone is given away again. See proc(5).
 */
export const processStartOf = (stat: string | null, systemStat: string | null): number | null => {
  // Field 22 counts ticks since boot; the fields before it may hold spaces only inside the parentheses.
  const ticks = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? Number.NaN);
  const bootedS = Number(/^btime (\d+)$/m.exec(systemStat ?? '')?.[1] ?? Number.NaN);
  const startedAt = bootedS * 1000 + (ticks / TICKS_PER_SECOND) * 1000;
  return Number.isFinite(startedAt) ? Math.round(startedAt) : null;
};
