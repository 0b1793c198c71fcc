import t from 'tap';
import { judgeFolder, judgeHints, judgeInotify } from '../../src/doctor/checks/watching.ts';
import type { FolderFacts } from '../../src/doctor/facts/folder.ts';

const GOOD: FolderFacts = {
  path: '/data/runs',
  state: 'there',
  code: null,
  fileSystem: 'ext4',
  givesHints: true,
  runFolders: 12,
  unreadable: 0,
  walkMs: 40,
  isWhole: true,
  newestAheadMs: -1000,
};
const folder = (changes: Partial<FolderFacts>) => judgeFolder({ ...GOOD, ...changes }, 1);

t.test('a folder with runs says how many, how fast they are found, and on what disk', async (t) => {
  t.match(folder({}), { id: 'watched-folder-1', status: 'ok', says: '/data/runs: 12 runs, found in 40 ms (ext4)' });
  t.match(folder({ fileSystem: 'nfs4', givesHints: false }), { status: 'ok', says: /nfs4, looked at every 2 s/ });
});

t.test('a folder that is missing is waited for, one that cannot be used is a problem', async (t) => {
  t.match(folder({ state: 'missing' }), { status: 'warning', says: /waits for it/, fix: [/--watch/] });
  t.match(folder({ state: 'not-a-folder' }), { status: 'problem', says: /is a file/ });
  t.match(folder({ state: 'unreadable', code: 'EACCES' }), {
    status: 'problem',
    says: /EACCES/,
    fix: [/setfacl/, /user/],
  });
});

t.test('no run, folders that may not be read, and a tree that is too large are warnings', async (t) => {
  t.match(folder({ runFolders: 0 }), { status: 'warning', fix: [/args\.yaml/] });
  t.match(folder({ unreadable: 2 }), { status: 'warning', says: /2 folders in it cannot be read/ });
  t.match(folder({ walkMs: 10_000, isWhole: false }), { status: 'warning', says: /12 runs so far/, fix: [/--watch/] });
  t.match(folder({ walkMs: 8000 }), { status: 'warning', says: /found late/ });
});

t.test(
  'too few inotify watches are told with the command that raises the limit above all that is needed',
  async (t) => {
    const limits = { watches: 8192, instances: 128, used: { watches: 100, instances: 3 }, runFolders: 12 };
    t.match(judgeInotify(limits), { status: 'ok', says: /at most 112 of 8192 .* 100 are in use/ });
    t.match(judgeInotify({ ...limits, used: { watches: 8150, instances: 3 } }), {
      status: 'warning',
      fix: ['sudo sysctl fs.inotify.max_user_watches=524288', /60-inotify/],
    });
    const many = judgeInotify({ ...limits, runFolders: 400_000 });
    t.match(many.fix[0], 'max_user_watches=4194304');
    t.match(judgeInotify({ ...limits, used: { watches: 0, instances: 128 } }), {
      fix: [/max_user_instances=512/, /60/],
    });
    t.match(judgeInotify({ ...limits, watches: null }), { status: 'unknown' });
    t.match(judgeInotify({ ...limits, used: null }), {
      status: 'ok',
      says: /^at most 112 of 8192 watches are needed$/,
    });
  },
);

t.test('hints that come, come late, stay away or are refused', async (t) => {
  t.match(judgeHints({ kind: 'came', afterMs: 0.4 }), { status: 'ok', says: /0\.4 ms/ });
  t.match(judgeHints({ kind: 'came', afterMs: 700 }), { status: 'warning' });
  t.match(judgeHints({ kind: 'silent', afterMs: 2000 }), { status: 'warning', says: /every 2 s/ });
  t.match(judgeHints({ kind: 'refused', code: 'ENOSPC' }), { status: 'warning', says: /ENOSPC/ });
  t.match(judgeHints(null), { status: 'unknown' });
});
