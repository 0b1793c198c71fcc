import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Static } from '../core/schema.ts';

const Fields = Type.Record(Type.String(), Type.Unknown());

/** The part of a route's query schema that a sentence is made of. */
const QuerySchema = Type.Object({
  properties: Type.Record(
    Type.String(),
    Type.Object({
      type: Type.Optional(Type.String()),
      minimum: Type.Optional(Type.Number()),
      maximum: Type.Optional(Type.Number()),
      enum: Type.Optional(Type.Array(Type.String())),
      description: Type.Optional(Type.String()),
    }),
  ),
});

type Failure = { readonly keyword: string; readonly instancePath: string; readonly params: Record<string, unknown> };

/** Says which query parameter the validator did not take, and what the route allows in its place. */
export const explainQueryError = (
  failure: Failure,
  request: FastifyRequest,
): { readonly parameter: string; readonly detail: string } => {
  const schema: unknown = request.routeOptions.schema?.querystring;
  const known = Value.Check(QuerySchema, schema) ? schema.properties : {};
  if (failure.keyword === 'additionalProperties') {
    const parameter = String(failure.params.additionalProperty);
    const names = Object.keys(known);
    const allowed = names.length === 0 ? 'this route takes none' : `this route takes ${names.join(', ')}`;
    return { parameter, detail: `${parameter}: unknown query parameter; ${allowed}` };
  }
  const parameter = failure.instancePath.slice(1);
  const found = JSON.stringify(Value.Check(Fields, request.query) ? request.query[parameter] : undefined);
  return { parameter, detail: `${parameter}: ${found} is not allowed; use ${allowedBy(known[parameter])}` };
};

const allowedBy = (schema: Static<typeof QuerySchema>['properties'][string] | undefined): string => {
  if (schema?.enum) return `one of ${schema.enum.join(', ')}`;
  if (schema?.minimum !== undefined && schema.maximum !== undefined) {
    return `an ${schema.type} from ${schema.minimum} to ${schema.maximum}`;
  }
  return schema?.description ?? 'a single value';
};
