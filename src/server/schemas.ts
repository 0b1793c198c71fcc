import { type TSchema, type TUnsafe, Type } from 'typebox';
import { AlertSchema, RuleInfoSchema } from '../core/alert.ts';
import { GpuLogTakenSchema } from '../core/gpu-log.ts';
import { HistorySchema } from '../core/history.ts';
import { HostDetailSchema } from '../core/host-detail.ts';
import { IngestedSchema } from '../core/ingest.ts';
import { ClassMetricsSchema, LogLineSchema, StepSchema } from '../core/output.ts';
import { AttemptSchema, EpochRowSchema, RunSchema } from '../core/run.ts';
import { RunGpuSchema } from '../core/run-gpu.ts';
import { RunProcessSchema } from '../core/run-process.ts';
import { GpuProcessSchema, GpuSampleSchema, GpuSchema, HostSampleSchema, HostSchema } from '../core/sample.ts';
import { type Page, pageOf } from '../core/schema.ts';
import { CollectorStateSchema, ReadinessSchema, ServiceSchema } from '../core/service.ts';
import { ProblemSchema } from './problem.ts';

/** The shapes that routes and OpenAPI name by their `$id`. */
export const SHARED_SCHEMAS: readonly TSchema[] = [
  AlertSchema,
  AttemptSchema,
  ClassMetricsSchema,
  CollectorStateSchema,
  EpochRowSchema,
  GpuProcessSchema,
  GpuSampleSchema,
  GpuSchema,
  GpuLogTakenSchema,
  HistorySchema,
  HostDetailSchema,
  HostSampleSchema,
  HostSchema,
  IngestedSchema,
  LogLineSchema,
  ProblemSchema,
  ReadinessSchema,
  RuleInfoSchema,
  RunGpuSchema,
  RunProcessSchema,
  RunSchema,
  ServiceSchema,
  StepSchema,
];

/** Names a shared schema in a route; `T` is its type. */
export const reference = <T>(schema: TSchema & { $id?: string }): TUnsafe<T> =>
  Type.Unsafe<T>(Type.Ref(`${schema.$id}#`));

/** A page of a shared schema. */
export const pageReference = <T>(item: TSchema & { $id?: string }): TUnsafe<Page<T>> =>
  Type.Unsafe<Page<T>>(pageOf(reference<T>(item)));

/** Every route's answer to a request that it does not take. */
export const problemResponse = {
  '4xx': {
    description: 'What was wrong, in words',
    content: { 'application/problem+json': { schema: reference(ProblemSchema) } },
  },
};

/** A route's answer where too many long reads wait already. */
export const busyResponse = {
  '503': {
    description: 'Too many long reads wait already; Retry-After says when to ask again',
    content: { 'application/problem+json': { schema: reference(ProblemSchema) } },
  },
};

/** An answer as JSON, or as CSV for a client that asks for it by `Accept`. */
export const jsonOrCsv = <T extends TSchema>(description: string, schema: T) => ({
  description,
  content: { 'application/json': { schema }, 'text/csv': { schema: Type.String() } },
});

/** An answer as JSON, or as plain text for a client that asks for it by `Accept`. */
export const jsonOrText = <T extends TSchema>(description: string, schema: T) => ({
  description,
  content: { 'application/json': { schema }, 'text/plain': { schema: Type.String() } },
});
