import t from 'tap';
import { readOpenApi } from './check-answer.ts';
import { startServer } from './start-server.ts';

t.test('every route of the contract is described, with what it answers and how it fails', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  const { paths, components } = await readOpenApi(server.url);
  t.strictSame(Object.keys(paths).sort(), [
    '/api/v1/alerts',
    '/api/v1/alerts/{id}',
    '/api/v1/collectors',
    '/api/v1/collectors/{name}/history',
    '/api/v1/gpus',
    '/api/v1/gpus/{gpu}/history',
    '/api/v1/hosts',
    '/api/v1/hosts/{host}/history',
    '/api/v1/ingest',
    '/api/v1/rules',
    '/api/v1/runs',
    '/api/v1/runs/{id}',
    '/api/v1/runs/{id}/attempts',
    '/api/v1/runs/{id}/batches',
    '/api/v1/runs/{id}/classes',
    '/api/v1/runs/{id}/epochs',
    '/api/v1/runs/{id}/gpu',
    '/api/v1/runs/{id}/gpu-log',
    '/api/v1/runs/{id}/history',
    '/api/v1/runs/{id}/log',
    '/api/v1/runs/{id}/processes',
    '/api/v1/service',
    '/api/v1/stream',
    '/healthz',
    '/readyz',
  ]);
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      t.ok(responses[200]?.content?.['application/json'] ?? responses[101], `${method} ${path} answers`);
      t.ok(responses['4XX']?.content?.['application/problem+json'], `${method} ${path} fails`);
    }
  }
  const references = JSON.stringify(paths).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
  for (const [, name = ''] of references) t.ok(components.schemas[name], `${name} is there`);
});

t.test('the description is OpenAPI 3.1', async (t) => {
  const server = await startServer();
  t.teardown(server.close);
  t.match(await (await fetch(`${server.url}/openapi.json`)).json(), { openapi: '3.1.0', info: { version: '0.1.0' } });
});
