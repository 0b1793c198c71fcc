import websocket from '@fastify/websocket';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { RuleInfo } from '../core/alert.ts';
import type { Bus } from '../core/bus.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { TakeGpuLog } from '../core/gpu-log.ts';
import type { CollectorHealth, StoreReader } from '../core/ports.ts';
import type { ServiceFacts } from '../core/service.ts';
import { serveDashboard } from './dashboard.ts';
import { type Access, createDoor } from './door.ts';
import type { Ingest } from './ingest-lines.ts';
import { collectOpenApi, serveOpenApi } from './openapi.ts';
import { answerWithProblems, problemOf, sendProblem } from './problem.ts';
import { alertRoutes } from './routes/alerts.ts';
import { collectorRoutes } from './routes/collectors.ts';
import { gpuLogRoutes } from './routes/gpu-log.ts';
import { gpuRoutes } from './routes/gpus.ts';
import { healthRoutes } from './routes/health.ts';
import { hostRoutes } from './routes/hosts.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { outputRoutes } from './routes/outputs.ts';
import { ruleRoutes } from './routes/rules.ts';
import { runGpuRoutes } from './routes/run-gpu.ts';
import { runProcessRoutes } from './routes/run-processes.ts';
import { runRoutes } from './routes/runs.ts';
import { serviceRoutes } from './routes/service.ts';
import { streamRoutes } from './routes/stream.ts';
import { SHARED_SCHEMAS } from './schemas.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { STREAM_LIMITS, type StreamLimits } from './stream/limits.ts';
import { createStream } from './stream/stream.ts';
import { countUnanswered } from './unanswered.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** How long an answer that is on its way has when the service stops. */
const ANSWER_WITHIN_MS = 1000;

/** What the server is made of. */
export type ServerParts = {
  readonly store: StoreReader;
  readonly bus: Bus;
  /** The way in for `POST /ingest`; the server itself only reads. */
  readonly ingest: Ingest;
  /** The way in for `POST /runs/{id}/gpu-log`. */
  readonly takeGpuLog: TakeGpuLog;
  readonly clock: Clock;
  readonly rules: readonly RuleInfo[];
  readonly health: () => readonly CollectorHealth[];
  readonly service: ServiceFacts;
  readonly access: Access;
  /** Folder of the built dashboard; null: there is none. */
  readonly webRoot: string | null;
  readonly log: FastifyBaseLogger;
  readonly limits?: StreamLimits;
};

/** REST, WebSocket and dashboard on one port. */
export type Server = {
  /** Resolves to the address with the port that it got. Throws {@link ListenError}. */
  readonly listen: (address: { readonly host: string; readonly port: number }) => Promise<string>;
  /**
   * Lets answers on their way finish, says 1001 to the stream's clients, destroys what connections are left, and frees
   * the port: within {@link StreamLimits.stopGraceMs}, and a second at least.
   */
  readonly close: () => Promise<void>;
};

/** The address cannot be listened on; the message says why in one line. */
export class ListenError extends Error {
  override name = 'ListenError';
}

const refusal = ({ host, port }: { host: string; port: number }, error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') return `port ${port} on ${host} is in use; choose another with --port (0: a free one)`;
  if (code === 'EACCES') return `port ${port} on ${host} may not be used by this user; choose one above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is not an address of this machine; see --host`;
  return `${host} port ${port} cannot be listened on (${error instanceof Error ? error.message : error})`;
};

/** Makes the server; nothing is served before `listen`. */
export const createServer = async (parts: ServerParts): Promise<Server> => {
  const { store, bus, clock, service, access, log, limits = STREAM_LIMITS } = parts;
  const stream = createStream({ store, bus, clock, wall: systemClock, service, limits, log });
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: 30_000,
    // On closing, when preClose is through.
    forceCloseConnections: true,
    // An unknown parameter is an error, not something to drop silently.
    ajv: { customOptions: { removeAdditional: false } },
    frameworkErrors: (error, request, reply) => sendProblem(request, reply, problemOf(error, request)),
  });
  // The store's items are what the schemas say (tests hold that); writing them by schema would cost more and could
  // only lose what a trainer put into `args`.
  app.setSerializerCompiler(() => JSON.stringify);
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);

  const unanswered = countUnanswered(app);
  await app.register(websocket, {
    options: {
      maxPayload: limits.maxMessageBytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => offered.has('signalbox.v1') && 'signalbox.v1',
    },
    // ws itself closes a connection that breaks the protocol, with the code that says how.
    errorHandler: (err) => log.debug({ err }, 'stream client broke the protocol'),
    preClose: async () => {
      await Promise.all([stream.close(), unanswered.settled(ANSWER_WITHIN_MS)]);
    },
  });
  const ownNames = new Set([service.host.toLowerCase()]);
  addSecurityHeaders(app);
  app.addHook('onRequest', createDoor(access, ownNames));
  answerWithProblems(app);
  await collectOpenApi(app, service.version);

  await app.register(
    async (api) => {
      api.addHook('preHandler', (_request, reply, done) => {
        reply.headers({ 'signalbox-cursor': store.cursor(), 'cache-control': 'no-store' });
        done();
      });
      await api.register(runRoutes(parts));
      await api.register(outputRoutes(parts));
      await api.register(runProcessRoutes(parts));
      await api.register(ingestRoutes(parts));
      await api.register(runGpuRoutes(parts));
      await api.register(gpuLogRoutes(parts));
      await api.register(gpuRoutes(parts));
      await api.register(hostRoutes(parts));
      await api.register(collectorRoutes(parts));
      await api.register(alertRoutes(parts));
      await api.register(ruleRoutes(parts));
      await api.register(serviceRoutes(parts));
      await api.register(streamRoutes({ stream }));
    },
    { prefix: '/api/v1' },
  );
  await app.register(healthRoutes(parts));
  serveOpenApi(app);
  await serveDashboard(app, parts.webRoot);
  await app.ready();

  return {
    listen: async (address) => {
      ownNames.add(address.host.toLowerCase());
      try {
        return await app.listen(address);
      } catch (error) {
        throw new ListenError(refusal(address, error), { cause: error });
      }
    },
    close: () => app.close(),
  };
};
