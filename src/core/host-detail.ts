import { Type } from 'typebox';
import { MomentSchema, nullable, type Static } from './schema.ts';

const percent = (description: string) => nullable(Type.Number({ description: `${description}, %` }));
const perSecond = (description: string) => nullable(Type.Number({ description: `${description}, bytes/s` }));

/** What a host does now, part by part. Only the latest is kept: the history has the sums and the worst of each. */
export const HostDetailSchema = Type.Object(
  {
    host: Type.String({ description: 'its name' }),
    at: MomentSchema,
    cores: nullable(
      Type.Array(percent('busy'), { description: 'each CPU core by its number; null: offline, or the first look' }),
    ),
    disks: Type.Array(
      Type.Object({
        name: Type.String(),
        read: perSecond('read'),
        write: perSecond('written'),
        busy: percent('time with work'),
        latency: nullable(Type.Number({ description: 'mean time of a request, ms' })),
      }),
    ),
    spaces: Type.Array(
      Type.Object({
        path: Type.String(),
        use: Type.Union([Type.Literal('watched'), Type.Literal('database'), Type.Literal('shm')]),
        type: nullable(Type.String({ description: 'of the file system, such as ext4 or nfs4' })),
        total: nullable(Type.Number({ description: 'bytes' })),
        free: nullable(Type.Number({ description: 'bytes' })),
      }),
    ),
    networks: Type.Array(Type.Object({ name: Type.String(), rx: perSecond('received'), tx: perSecond('sent') })),
    temperatures: Type.Array(Type.Object({ sensor: Type.String(), value: Type.Number({ description: '°C' }) })),
    limits: nullable(
      Type.Object(
        {
          cpuCores: nullable(Type.Number({ description: 'cores that may be used; null: no limit' })),
          memory: nullable(Type.Number({ description: 'bytes; null: no limit' })),
        },
        { description: 'of the cgroup that we run in; null: there is none, or it cannot be read' },
      ),
    ),
    absent: Type.Record(Type.String(), Type.String(), { description: 'by metric: why it is not known' }),
  },
  { $id: 'HostDetail', description: 'What a host does now, part by part' },
);
/** See {@link HostDetailSchema}. */
export type HostDetail = Static<typeof HostDetailSchema>;
