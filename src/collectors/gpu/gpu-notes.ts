import type { ObservedGpuNotes } from '../../core/batch.ts';

/**
 * What is to be said of a GPU besides its numbers: by metric why there is none (`[N/A]` loses its brackets, so that CSV
 * and XML say the same), and what ails the whole GPU when the driver says so in place of a number.
 */
export const notesOn = (uuid: string, reasons: Readonly<Record<string, string>>): ObservedGpuNotes => {
  const absent = Object.fromEntries(
    Object.entries(reasons).map(([metric, reason]) => [metric, reason.replace(/^\[(.*)\]$/, '$1')]),
  );
  return { uuid, trouble: Object.values(absent).find((reason) => OF_THE_WHOLE_GPU.test(reason)) ?? null, absent };
};

/** The driver's words for a GPU that gives nothing any more; other words tell of one metric only. */
const OF_THE_WHOLE_GPU = /^GPU (is lost|requires reset|access blocked by the operating system)/i;
