import t from 'tap';
import { judgeDatabase } from '../../src/doctor/checks/history.ts';
import { judgeAccess, judgePort } from '../../src/doctor/checks/network.ts';
import type { DatabaseFacts, DatabaseFile } from '../../src/doctor/facts/database.ts';
import type { NetworkFacts } from '../../src/doctor/facts/network.ts';
import { checkOf, statuses } from './judged.ts';

const GIB = 2 ** 30;
const FILE: DatabaseFile = { kind: 'signalbox', schema: 5, bytes: 12 * 2 ** 20, refusal: null };
const GOOD: DatabaseFacts = {
  path: '/srv/data/signalbox.db',
  folder: '/srv/data',
  hasFolder: true,
  refusal: null,
  fileSystem: 'ext4',
  freeBytes: 80 * GIB,
  file: FILE,
  holder: { kind: 'nobody' },
};
const judge = (changes: Partial<DatabaseFacts>, isContainer = false) =>
  judgeDatabase({ ...GOOD, ...changes }, { newestSchema: 5, isContainer });
const folder = (changes: Partial<DatabaseFacts>, isContainer = false) =>
  checkOf(judge(changes, isContainer), 'database-folder');
const file = (changes: Partial<DatabaseFile>) => checkOf(judge({ file: { ...FILE, ...changes } }), 'database-file');

t.test('a history on a disk of its own, with room, is fine', async (t) => {
  t.same(statuses(judge({})), {
    'database-folder': 'ok',
    'database-space': 'ok',
    'database-file': 'ok',
    'database-holder': 'ok',
  });
  t.match(file({}).says, '12 MiB, schema 5');
  t.match(checkOf(judge({ file: null }), 'database-file'), { status: 'ok', says: /made at the first start/ });
  t.match(folder({ hasFolder: false, folder: '/srv' }), {
    status: 'ok',
    says: /^below \/srv, made at the first start/,
  });
});

t.test(
  'a history on a network disk is a problem, one that goes with the machine or the container a warning',
  async (t) => {
    for (const fileSystem of ['nfs', 'nfs4', 'cifs', 'fuse.sshfs', '9p', 'lustre'])
      t.match(folder({ fileSystem }), { status: 'problem', says: /SQLite can lose data/, fix: [/--db/] });
    t.match(folder({ fileSystem: 'tmpfs' }), { status: 'warning', says: /gone after a restart/ });
    t.match(folder({ fileSystem: 'overlay' }, true), { status: 'warning', fix: [/docker run -v/] });
    t.match(folder({ fileSystem: 'overlay' }), { status: 'ok' });
    t.match(folder({ refusal: 'EACCES' }), { status: 'problem', says: /EACCES/, fix: [/--db/, /chown/] });
  },
);

t.test('room runs out in two steps', async (t) => {
  t.match(checkOf(judge({ freeBytes: 3 * GIB }), 'database-space'), { status: 'warning' });
  t.match(checkOf(judge({ freeBytes: 100 * 2 ** 20 }), 'database-space'), { status: 'problem', says: '100 MiB free' });
});

t.test('the file: older, newer, foreign, damaged, closed to us', async (t) => {
  t.match(file({ schema: 3 }), { status: 'ok', says: /schema 3, brought up to 5/ });
  t.match(file({ schema: 9 }), { status: 'problem', says: /newer Signalbox/ });
  t.match(file({ kind: 'empty', schema: null }), { status: 'ok' });
  t.match(file({ kind: 'other-database', schema: null }), { status: 'problem', says: /another program/ });
  t.match(file({ kind: 'no-database', schema: null }), { status: 'problem', says: /no SQLite database/ });
  t.match(file({ refusal: 'EACCES' }), { status: 'problem', fix: [/chown/, /--db/] });
});

t.test('a service that has the database is named by its process', async (t) => {
  t.match(checkOf(judge({ holder: { kind: 'process', pid: 4711 } }), 'database-holder'), {
    status: 'ok',
    says: /4711/,
  });
  t.match(checkOf(judge({ holder: { kind: 'not-known' } }), 'database-holder'), { status: 'unknown' });
});

const port = (state: NetworkFacts['state'], given: Partial<NetworkFacts> = {}) =>
  judgePort({ host: '127.0.0.1', port: 4747, state, ...given }, { kind: 'nobody' });

t.test('a port that is free, ours, another service, somebody else, not ours to take', async (t) => {
  t.match(port({ kind: 'free' }), { status: 'ok', says: '127.0.0.1:4747 is free' });
  t.match(port({ kind: 'free' }, { port: 0 }), { status: 'ok', says: 'any that is free' });
  const signalbox = { kind: 'taken', isSignalbox: true, version: '0.1.0' } as const;
  const facts = { host: '127.0.0.1', port: 4747, state: signalbox };
  t.match(judgePort(facts, { kind: 'process', pid: 1 }), { status: 'ok', says: /Signalbox 0\.1\.0 answers/ });
  t.match(port(signalbox), { status: 'warning', says: /another database/, fix: [/--port/] });
  t.match(port({ kind: 'taken', isSignalbox: false, version: null }), {
    status: 'problem',
    fix: [/--port/, /ss -ltnp/],
  });
  t.match(port({ kind: 'refused', code: 'EACCES' }, { port: 80 }), { status: 'problem', says: /only root/ });
  t.match(port({ kind: 'refused', code: 'EADDRNOTAVAIL' }, { host: '10.9.9.9' }), {
    status: 'problem',
    fix: [/--host/],
  });
  t.match(port({ kind: 'refused', code: 'EMFILE' }), { status: 'problem', says: /EMFILE/ });
});

t.test(
  'who may come in: loopback, the network with a token, without one, and a token that others can read',
  async (t) => {
    const access = { isLoopback: true, hasToken: false, tokenFileMode: null };
    t.match(judgeAccess(access), { status: 'ok', says: /this machine alone, without a token/ });
    t.match(judgeAccess({ ...access, isLoopback: false, hasToken: true }), {
      status: 'ok',
      says: /from the network, with/,
    });
    t.match(judgeAccess({ ...access, isLoopback: false }), { status: 'problem', fix: [/--token-file/] });
    t.match(judgeAccess({ ...access, hasToken: true, tokenFileMode: 0o644 }), {
      status: 'warning',
      fix: [/chmod 600/],
    });
    t.match(judgeAccess({ ...access, hasToken: true, tokenFileMode: 0o600 }), { status: 'ok' });
  },
);
