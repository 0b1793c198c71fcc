import { type Check, check } from '../check.ts';
import type { Holder } from '../facts/database.ts';
import type { NetworkFacts } from '../facts/network.ts';

const PORT = { id: 'port', group: 'network', title: 'Port' } as const;
const ANOTHER_PORT = ['--port NUMBER takes another one, --port 0 any that is free'];

/** `holder`: who has the database open; where that is a service, it is the one that is expected at the port. */
export const judgePort = (facts: NetworkFacts, holder: Holder): Check => {
  const { host, port, state } = facts;
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  switch (state.kind) {
    case 'free': {
      const elsewhere = holder.kind === 'process' ? '; the service that has the database listens elsewhere' : '';
      const says = port === 0 ? 'any that is free' : `${address} is free`;
      return check(PORT, { status: 'ok', says: says + elsewhere, facts });
    }
    case 'refused':
      return judgeRefused(facts, state.code);
    case 'taken': {
      if (!state.isSignalbox) {
        const says = `${address} is taken by another program`;
        const fix = [...ANOTHER_PORT, `who has it: ss -ltnp "sport = :${port}"`];
        return check(PORT, { status: 'problem', says, facts, fix });
      }
      const says = `Signalbox ${state.version ?? '(it does not tell which version without its token)'} answers at ${address}`;
      return holder.kind === 'process'
        ? check(PORT, { status: 'ok', says, facts })
        : check(PORT, { status: 'warning', says: `${says}, on another database`, facts, fix: ANOTHER_PORT });
    }
  }
};

const judgeRefused = (facts: NetworkFacts, code: string): Check => {
  const { host, port } = facts;
  switch (code) {
    case 'EACCES':
      return check(PORT, { status: 'problem', says: `only root may listen on ${port}`, facts, fix: ANOTHER_PORT });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return check(PORT, {
        status: 'problem',
        says: `${host} is no address of this machine`,
        facts,
        fix: ['--host 127.0.0.1 for this machine alone, --host 0.0.0.0 (with a token) for all'],
      });
    default:
      return check(PORT, { status: 'problem', says: `${host}:${port} cannot be listened on (${code})`, facts });
  }
};

/** Who may come in, by what is set. `tokenFileMode`: the file's rights, as octal in a number; null: there is no such file. */
export type AccessFacts = {
  readonly isLoopback: boolean;
  readonly hasToken: boolean;
  readonly tokenFileMode: number | null;
};

const OTHERS_MAY_READ = 0o044;

export const judgeAccess = (facts: AccessFacts): Check => {
  const subject = { id: 'access', group: 'network', title: 'Access' } as const;
  const { isLoopback, hasToken, tokenFileMode } = facts;
  if (tokenFileMode !== null && (tokenFileMode & OTHERS_MAY_READ) !== 0) {
    return check(subject, {
      status: 'warning',
      says: 'the token file can be read by other users of this machine',
      facts,
      fix: ['chmod 600 on the file of --token-file'],
    });
  }
  if (!isLoopback && !hasToken) {
    const says = 'everybody on the network could read along: without a token the service will not start';
    return check(subject, { status: 'problem', says, facts, fix: ['SIGNALBOX_TOKEN or --token-file'] });
  }
  const from = isLoopback ? 'from this machine alone' : 'from the network';
  return check(subject, { status: 'ok', says: `${from}, ${hasToken ? 'with the token' : 'without a token'}`, facts });
};
