import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { notFound } from './problem.ts';

const NOT_BUILT = `Signalbox is running, but its dashboard is not built.
In the folder of Signalbox: npm ci && npm run build
The API is at /api/v1, its description at /openapi.json.
`;

/**
 * The page. It holds no data, so it needs no token: it asks for one. Every path that a browser navigates to and that
 * is no file is the page itself, which reads the path; a missing file or API route stays a 404.
 */
export const serveDashboard = async (app: FastifyInstance, webRoot: string | null): Promise<void> => {
  if (webRoot === null || !existsSync(join(webRoot, 'index.html'))) {
    app.get('/', { config: { open: true }, schema: { hide: true } }, async (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send(NOT_BUILT),
    );
    return;
  }
  const files = new Set(readdirSync(webRoot, { recursive: true }).map((name) => String(name).replaceAll(sep, '/')));
  await app.register(fastifyStatic, { root: webRoot, serve: false, index: false });

  app.get<{ Params: { '*': string } }>(
    '/*',
    { config: { open: true }, schema: { hide: true } },
    async (request, reply) => {
      const path = request.params['*'];
      if (path.startsWith('assets/') && files.has(path)) {
        // Vite puts a hash of the content into these names.
        return reply.sendFile(path, { maxAge: '1y', immutable: true });
      }
      const isPage = !path.startsWith('api/') && (request.headers.accept ?? '').includes('text/html');
      const file = path !== '' && files.has(path) ? path : isPage || path === '' ? 'index.html' : null;
      if (file === null) throw notFound('page', request.url);
      reply.header('cache-control', 'no-cache');
      return reply.sendFile(file, { cacheControl: false });
    },
  );
};
