import { Type } from 'typebox';
import { MomentSchema, nullable, oneOf, type Static } from './schema.ts';

/** What a process is in a training. */
export const PROCESS_ROLES = ['training', 'worker', 'helper'] as const;

/** A process of a run, as it does now. */
export const RunProcessSchema = Type.Object(
  {
    pid: Type.Integer(),
    parent: nullable(Type.Integer()),
    role: oneOf(PROCESS_ROLES),
    command: nullable(Type.String({ description: 'secrets cut' })),
    state: nullable(Type.String({ description: 'R, S, D, Z, T as in /proc/PID/stat' })),
    startedAt: nullable(MomentSchema),
    cpu: nullable(Type.Number({ description: '%, 100 is one core' })),
    memory: nullable(Type.Number({ description: 'bytes of its own: what it shares with its parent is not counted' })),
    diskRead: nullable(Type.Number({ description: 'bytes/s' })),
    diskWrite: nullable(Type.Number({ description: 'bytes/s' })),
  },
  { $id: 'RunProcess', description: 'A process of a run' },
);
/** See {@link RunProcessSchema}. */
export type RunProcess = Static<typeof RunProcessSchema>;
