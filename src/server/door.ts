import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route holds no data: it is answered without a token. */
    readonly open?: boolean;
  }
}

/** Who may come in. */
export type Access = {
  /** The one bearer token, base64url; null: none is needed. */
  readonly token: string | null;
  /** Names that a Host header may carry, beside the machine's own and loopback. */
  readonly hosts: readonly string[];
  /** Origins of other pages that may use this service, such as https://dash.example. */
  readonly origins: readonly string[];
};

/**
 * The door of every request, before an upgrade to WebSocket too. Throws a 403 for a foreign Host (a page whose name
 * was rebound to this address) or a foreign Origin (a page of another site in the same browser), and a 401 for a
 * missing or wrong token. `ownNames` (lower case) are looked at on every request: the bind address joins them late.
 */
export const createDoor = (access: Access, ownNames: ReadonlySet<string>): onRequestHookHandler => {
  const listed = new Set(access.hosts.map((name) => name.toLowerCase()));
  const origins = new Set(access.origins.map((origin) => origin.toLowerCase()));
  const token = access.token === null ? null : digest(access.token);
  return (request, _reply, done) => {
    checkHost(request, (name) => listed.has(name) || ownNames.has(name));
    checkOrigin(request, origins, (name) => ownNames.has(name));
    if (token !== null && needsToken(request)) checkToken(request, token);
    done();
  };
};

const checkHost = (request: FastifyRequest, isKnown: (name: string) => boolean): void => {
  const host = (request.headers.host ?? '').toLowerCase();
  const name = nameOf(host);
  if (isLoopback(name) || isKnown(name) || isKnown(host)) return;
  // An address that the connection really came to cannot have been rebound.
  if (name === request.socket.localAddress?.replace(/^::ffff:/, '')) return;
  throw new Problem(403, `the Host "${host}" is not a name of this service; add it to \`hosts\` if it should be`);
};

const isLoopback = (name: string): boolean =>
  name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));

/** Pages of this machine and of this host pass, as does the service's own page under whatever name it was called. */
const checkOrigin = (request: FastifyRequest, origins: ReadonlySet<string>, isOwn: (name: string) => boolean): void => {
  const origin = request.headers.origin?.toLowerCase();
  if (origin === undefined || origins.has(origin)) return;
  const host = /^https?:\/\/([^/]+)$/.exec(origin)?.[1];
  if (host !== undefined) {
    const name = nameOf(host);
    if (host === request.headers.host?.toLowerCase() || isLoopback(name) || isOwn(name)) return;
  }
  throw new Problem(403, `pages of "${origin}" may not use this service; add it to \`origins\` if they should`);
};

/** A host without its port, and without the brackets of an IPv6 address. */
const nameOf = (host: string): string => host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');

/** What is under /api never goes without, whichever route answers there. */
const needsToken = (request: FastifyRequest): boolean =>
  request.routeOptions.config.open !== true || request.url.startsWith('/api/');

const checkToken = (request: FastifyRequest, expected: Buffer): void => {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? protocolToken(request);
  if (given === undefined) throw new Problem(401, 'this service needs a token: send `Authorization: Bearer TOKEN`');
  if (!timingSafeEqual(digest(given), expected)) throw new Problem(401, 'this token is not the one of this service');
};

/** A browser cannot set headers on a WebSocket, so the token comes as a subprotocol `bearer.TOKEN`. */
const protocolToken = (request: FastifyRequest): string | undefined =>
  request.ws ? /(?:^|,)\s*bearer\.([^\s,]+)/.exec(request.headers['sec-websocket-protocol'] ?? '')?.[1] : undefined;

/** Equally long for every input, so that comparing takes equally long. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
