import { Type } from 'typebox';
import { MomentSchema, nullable, type Static } from './schema.ts';

/** How many times faster than real a demo's clock runs; null when nothing is simulated. */
export const SimulatedSchema = nullable(Type.Object({ speed: Type.Number({ exclusiveMinimum: 0 }) }));

/** What a page or a script wants to know of the service itself. */
export const ServiceSchema = Type.Object(
  {
    version: Type.String(),
    host: Type.String({ description: 'name of the machine that the service runs on' }),
    startedAt: MomentSchema,
    simulated: SimulatedSchema,
    watched: Type.Array(Type.String(), { description: 'folders that are searched for runs' }),
    gpuSource: Type.String({ description: 'where GPU samples come from, such as nvidia-smi or off' }),
  },
  { $id: 'Service', description: 'The service itself' },
);
/** See {@link ServiceSchema}. */
export type ServiceFacts = Static<typeof ServiceSchema>;

/** A collector, as `/readyz` and `/api/v1/collectors` answer it; see `CollectorState` in collector-health.ts. */
export const CollectorStateSchema = Type.Object(
  {
    name: Type.String(),
    lastSuccessAt: nullable(MomentSchema),
    ageMs: nullable(Type.Integer({ description: 'since the last success' })),
    lastErrorAt: nullable(MomentSchema),
    error: nullable(Type.String({ description: 'the error that it is in now' })),
    failures: Type.Integer({ description: 'in a row' }),
    everyMs: Type.Number({ description: 'how often it is to look' }),
    durationMs: nullable(Type.Number({ description: 'time that its last look took' })),
    misses: Type.Integer({ description: 'looks that failed or were left out, since the start' }),
    polling: Type.Boolean({ description: 'gets no hints of changes: it looks by the clock alone' }),
  },
  { $id: 'CollectorState', description: 'How a collector is doing' },
);

/** `/readyz`: `ready` says whether the database takes writes and not every collector is failing. */
export const ReadinessSchema = Type.Object(
  {
    ready: Type.Boolean(),
    database: Type.Object({
      path: Type.String(),
      bytes: Type.Integer(),
      writable: Type.Boolean(),
      warning: nullable(Type.String({ description: 'what a person should know of its space' })),
      samplesLost: Type.Integer({ description: 'since the start, because the database took no writes for too long' }),
    }),
    collectors: Type.Array(CollectorStateSchema),
  },
  { $id: 'Readiness', description: 'Each collector and the database' },
);
/** See {@link ReadinessSchema}. */
export type Readiness = Static<typeof ReadinessSchema>;
