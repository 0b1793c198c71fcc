import { type Static, type TEnum, type TSchema, Type } from 'typebox';

/**
 * Small TypeBox pieces that every schema of the model shares.
 * A schema is `XSchema`, its type `X`: the shape is written once and serves TypeScript, the HTTP door and OpenAPI.
 */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Milliseconds since 1970 UTC. */
export const MomentSchema = Type.Integer({ description: 'milliseconds since 1970 UTC' });

/** A closed set of words, such as the states of a run. */
export const oneOf = <T extends string>(words: readonly T[]): TEnum<T[]> => Type.Enum<T[]>([...words]);

/** One page of a list, newest or lowest key first; `next` is the cursor of the page after it, null on the last one. */
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: nullable(Type.String()) });

/** See {@link pageOf}. */
export type Page<T> = { readonly items: readonly T[]; readonly next: string | null };

export type { Static };
