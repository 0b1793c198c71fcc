import { createServer } from 'node:net';
import { codeOfError } from './error-code.ts';

/** What is at the address that the service would listen on. */
export type NetworkFacts = {
  readonly host: string;
  readonly port: number;
  readonly state: { readonly kind: 'free' } | { readonly kind: 'refused'; readonly code: string } | Taken;
};

/** `version` is that of the Signalbox that answers there; null: it does not say, or it is another program. */
export type Taken = { readonly kind: 'taken'; readonly isSignalbox: boolean; readonly version: string | null };

export type NetworkQuestion = { readonly host: string; readonly port: number; readonly limitMs: number };

/** Listens for a moment; where that is refused because somebody else does, asks who. */
export const readNetwork = async (question: NetworkQuestion): Promise<NetworkFacts> => {
  const { host, port } = question;
  const code = await listen(host, port);
  if (code === null) return { host, port, state: { kind: 'free' } };
  if (code !== 'EADDRINUSE') return { host, port, state: { kind: 'refused', code } };
  return { host, port, state: await askWho(question) };
};

const listen = (host: string, port: number): Promise<string | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOfError(error)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });

/** The name that answers for an address that means "all". */
const reachable = (host: string): string => {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
};

/** Without the token: whoever has taken the port is not to learn it. */
const askWho = async ({ host, port, limitMs }: NetworkQuestion): Promise<Taken> => {
  const base = `http://${reachable(host)}:${port}`;
  const ask = async (path: string): Promise<unknown> => {
    const answer = await fetch(base + path, { signal: AbortSignal.timeout(limitMs), redirect: 'error' });
    return answer.json();
  };
  try {
    const isSignalbox = saysOk(await ask('/healthz'));
    return { kind: 'taken', isSignalbox, version: isSignalbox ? versionIn(await ask('/api/v1/service')) : null };
  } catch {
    // It does not speak HTTP and JSON, or not in time: that it is taken is all that is known.
    return { kind: 'taken', isSignalbox: false, version: null };
  }
};

const saysOk = (said: unknown): boolean =>
  typeof said === 'object' && said !== null && 'status' in said && said.status === 'ok';

const versionIn = (said: unknown): string | null =>
  typeof said === 'object' && said !== null && 'version' in said && typeof said.version === 'string'
    ? said.version
    : null;
