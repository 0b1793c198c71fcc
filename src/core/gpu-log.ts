import { Type } from 'typebox';
import { GPU_METRICS } from './metrics.ts';
import { nullable, type Static } from './schema.ts';

/** One GPU at one moment, as an imported log says it; one line of `POST /runs/{id}/gpu-log`. */
export const GpuLogRowSchema = Type.Object(
  {
    at: Type.Integer({ minimum: 0, maximum: 253_402_300_800_000, description: 'milliseconds since 1970 UTC' }),
    gpu: Type.Union([
      Type.String({ pattern: '^(GPU|MIG)-[A-Za-z0-9/-]{1,100}$', description: 'UUID' }),
      Type.Integer({ minimum: 0, maximum: 1023, description: 'its number in the log, which names no UUID' }),
    ]),
    values: Type.Record(
      Type.String({ pattern: `^(${Object.keys(GPU_METRICS).join('|')})$` }),
      nullable(Type.Number()),
      { additionalProperties: false, description: 'by metric, in the units of the history; null: not known' },
    ),
  },
  { additionalProperties: false },
);
/** See {@link GpuLogRowSchema}. */
export type GpuLogRow = Static<typeof GpuLogRowSchema>;

/** What came of some rows: those that were not there before, and those that were. */
export const GpuLogTakenSchema = Type.Object(
  { taken: Type.Integer({ minimum: 0 }), known: Type.Integer({ minimum: 0 }) },
  { $id: 'GpuLogTaken', description: 'Samples of a log that were taken, and those that were there already' },
);
/** See {@link GpuLogTakenSchema}. */
export type GpuLogTaken = Static<typeof GpuLogTakenSchema>;

/** Takes rows of a log into the history of a run. */
export type TakeGpuLog = (run: string, rows: readonly GpuLogRow[]) => GpuLogTaken;
