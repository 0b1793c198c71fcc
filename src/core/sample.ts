import { Type } from 'typebox';
import { HostDetailSchema } from './host-detail.ts';
import { GPU_METRICS, type GpuMetric, HOST_METRICS, type HostMetric, throttleReasons } from './metrics.ts';
import { MomentSchema, nullable, type Static } from './schema.ts';

/** Values of one tick by metric name; null is "asked and not known", a missing key "not asked". */
export type Values = Readonly<Record<string, number | null>>;

/**
 * One wide row: one subject at one moment. `subject` is the stable name: `gpu:UUID` or `host:NAME`
 * (`gpu:0` is only today's name for a UUID, and is put in where a person or client is answered).
 */
export type Sample = { readonly subject: string; readonly at: number; readonly values: Values };

const numbers = (metrics: Record<string, { unit: string; title: string }>) =>
  Object.fromEntries(
    Object.entries(metrics).map(([name, metric]) => [
      name,
      nullable(Type.Number({ description: metric.unit ? `${metric.title}, ${metric.unit}` : metric.title })),
    ]),
  );

/** A GPU sample as clients see it: every metric or null, `throttle` as the list of reasons. */
export const GpuSampleSchema = Type.Object(
  {
    gpu: Type.String({ description: 'subject, such as gpu:0' }),
    uuid: Type.String(),
    at: MomentSchema,
    run: nullable(Type.String({ description: 'the run that the GPU belongs to, null when ambiguous' })),
    ...numbers(GPU_METRICS),
    throttle: nullable(Type.Array(Type.String())),
  },
  { $id: 'GpuSample', description: 'One GPU at one moment' },
);
/** See {@link GpuSampleSchema}. */
export type GpuSample = {
  gpu: string;
  uuid: string;
  at: number;
  run: string | null;
  throttle: string[] | null;
} & { [K in Exclude<GpuMetric, 'throttle'>]: number | null };

/** A host sample as clients see it. */
export const HostSampleSchema = Type.Object(
  { host: Type.String({ description: 'subject, such as host:trainer1' }), at: MomentSchema, ...numbers(HOST_METRICS) },
  { $id: 'HostSample', description: 'One host at one moment' },
);
/** See {@link HostSampleSchema}. */
export type HostSample = { host: string; at: number } & { [K in HostMetric]: number | null };

/** A process on a GPU. `command` has its secrets cut. */
export const GpuProcessSchema = Type.Object(
  {
    pid: Type.Integer(),
    user: nullable(Type.String()),
    command: nullable(Type.String()),
    memory: nullable(Type.Number({ description: 'bytes on this GPU' })),
    utilization: nullable(Type.Number({ description: '%' })),
    run: nullable(Type.String()),
    confidence: nullable(Type.Number({ description: '0 to 1: how sure the match with the run is' })),
    unwatched: nullable(
      Type.String({ description: 'it trains where nobody watches: the folder to add to `watch`; null: it does not' }),
    ),
  },
  { $id: 'GpuProcess', description: 'A process on a GPU' },
);
/** See {@link GpuProcessSchema}. */
export type GpuProcess = Static<typeof GpuProcessSchema>;

/** A GPU: what does not change, its latest sample and who is on it. */
export const GpuSchema = Type.Object(
  {
    gpu: Type.String({ description: "today's name: gpu:INDEX" }),
    index: Type.Integer({ description: 'that of the whole GPU for a MIG instance' }),
    uuid: Type.String(),
    mig: nullable(
      Type.Object(
        {
          parent: Type.String({ description: 'UUID of the whole GPU' }),
          index: Type.Integer(),
          gpuInstance: nullable(Type.Integer()),
          computeInstance: nullable(Type.Integer()),
          profile: nullable(Type.String({ description: 'such as 1g.10gb' })),
        },
        { description: 'set for a MIG instance' },
      ),
    ),
    trouble: nullable(Type.String({ description: 'what is amiss now, such as "GPU is lost"' })),
    absent: Type.Record(Type.String(), Type.String(), { description: 'by metric: why it is null' }),
    name: nullable(Type.String()),
    driver: nullable(Type.String()),
    memoryTotal: nullable(Type.Number()),
    powerLimit: nullable(Type.Number()),
    lastSeenAt: nullable(MomentSchema),
    run: nullable(Type.String()),
    latest: nullable(GpuSampleSchema),
    processes: nullable(Type.Array(GpuProcessSchema, { description: 'null: not known' })),
    processesUnknown: nullable(Type.String({ description: 'why the processes are not known, and how to allow it' })),
  },
  { $id: 'Gpu', description: 'A GPU with its latest sample' },
);
/** See {@link GpuSchema}. */
export type Gpu = Omit<Static<typeof GpuSchema>, 'latest'> & { latest: GpuSample | null };

/** A host: facts read once, and its latest sample. */
export const HostSchema = Type.Object(
  {
    host: Type.String({ description: 'host:NAME' }),
    name: Type.String(),
    os: nullable(Type.String()),
    cpuModel: nullable(Type.String()),
    cpuCores: nullable(Type.Integer()),
    memoryTotal: nullable(Type.Number()),
    lastSeenAt: nullable(MomentSchema),
    latest: nullable(HostSampleSchema),
    detail: nullable(HostDetailSchema),
  },
  { $id: 'Host', description: 'A host with its latest sample' },
);
/** See {@link HostSchema}. */
export type Host = Omit<Static<typeof HostSchema>, 'latest'> & { latest: HostSample | null };

/** Today's name of a GPU, `gpu:0`, or of a MIG instance on it, `gpu:0:1`. */
export const gpuSubject = ({
  index,
  mig,
}: {
  readonly index: number;
  readonly mig?: { readonly index: number } | null | undefined;
}) => (mig ? `gpu:${index}:${mig.index}` : `gpu:${index}`);

/** A stored GPU sample as clients see it. `gpu` is today's subject, `run` the run that it belongs to. */
export const gpuSampleOf = (sample: Sample, gpu: string, uuid: string, run: string | null): GpuSample => ({
  ...(complete(GPU_METRICS, sample.values) as { [K in GpuMetric]: number | null }),
  gpu,
  uuid,
  at: sample.at,
  run,
  throttle: throttleReasons(sample.values.throttle),
});

/** A stored host sample as clients see it. */
export const hostSampleOf = (sample: Sample): HostSample => ({
  host: sample.subject,
  at: sample.at,
  ...(complete(HOST_METRICS, sample.values) as { [K in HostMetric]: number | null }),
});

const complete = (metrics: object, values: Values) =>
  Object.fromEntries(Object.keys(metrics).map((name) => [name, values[name] ?? null]));
