import assert from 'node:assert';
import { Type } from 'typebox';
import Schema from 'typebox/schema';
import { Value } from 'typebox/value';

const DocumentSchema = Type.Object({
  components: Type.Object({ schemas: Type.Record(Type.String(), Type.Unknown()) }),
  paths: Type.Record(
    Type.String(),
    Type.Record(
      Type.String(),
      Type.Object({
        summary: Type.String({ minLength: 1 }),
        responses: Type.Record(
          Type.String(),
          Type.Object({ content: Type.Optional(Type.Record(Type.String(), Type.Object({ schema: Type.Object({}) }))) }),
        ),
      }),
    ),
  ),
});

/** `/openapi.json` of a running server; fails when a route lacks its summary or its answers. */
export const readOpenApi = async (url: string, authorization?: string) => {
  const answer = await fetch(`${url}/openapi.json`, { headers: authorization ? { authorization } : {} });
  return Value.Parse(DocumentSchema, await answer.json());
};

/** Fails when a JSON answer is not what `/openapi.json` says of its route, status and content type. */
export const checkAnswer = async (asked: {
  url: string;
  path: string;
  answer: Response;
  token?: string;
}): Promise<void> => {
  const type = asked.answer.headers.get('content-type')?.split(';')[0] ?? '';
  if (!/[/+]json$/.test(type)) return;
  const document = await readOpenApi(asked.url, asked.token);
  const path = asked.path.split('?')[0] ?? '';
  const template = Object.keys(document.paths).find((known) =>
    new RegExp(`^${known.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  const { status } = asked.answer;
  const body: unknown = await asked.answer.json();
  const responses = template === undefined ? undefined : document.paths[template]?.get?.responses;
  const schema = responses
    ? (responses[status] ?? responses[`${String(status)[0]}XX`])?.content?.[type]?.schema
    : { $ref: '#/components/schemas/Problem' };
  assert.ok(schema, `GET ${path} answered ${status} ${type}, which /openapi.json does not know`);
  const [isRight, errors] = Schema.Errors({ components: document.components, ...schema }, body);
  assert.ok(isRight, `GET ${path} answered ${JSON.stringify(body)}: ${JSON.stringify(errors)}`);
};
