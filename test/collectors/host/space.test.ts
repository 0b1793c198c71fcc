import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createHostFiles } from '../../../src/collectors/host/file.ts';
import { mountOf, parseMounts } from '../../../src/collectors/host/mounts.ts';
import { createQuestion } from '../../../src/collectors/host/question.ts';
import { createSpaces } from '../../../src/collectors/host/space.ts';

const MOUNTINFO = `22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
40 22 0:40 / /mnt rw - autofs systemd-1 rw
41 40 0:41 / /mnt/big\\040disk rw,relatime shared:9 master:2 - nfs4 server:/export rw
42 22 0:42 / /data rw - xfs /dev/sdb rw
43 22 0:43 / /data rw - overlay overlay rw
broken
1 2 3 - 4
`;

t.test('the file system of a path is that of the nearest mount above it', async (t) => {
  const mounts = parseMounts(MOUNTINFO);
  const typeOf = (path: string) => mountOf(path, mounts)?.type ?? null;
  t.equal(typeOf('/home/me/runs'), 'ext4');
  t.equal(typeOf('/mnt/big disk/runs'), 'nfs4', 'a space is written as an octal number');
  t.equal(typeOf('/mnt/big disk2'), 'autofs');
  t.equal(typeOf('/data'), 'overlay', 'what is mounted over another hides it');
  t.equal(mountOf('/data', parseMounts('')), null);
});

t.test(
  'every watched root has its space and type, seen through links, and one that is missing its nearest folder’s',
  async (t) => {
    const folder = t.testdir({ proc: { self: {} }, fast: {}, data: {} });
    const mount = (name: string, type: string) => `30 1 0:30 / ${join(folder, name)} rw - ${type} none rw\n`;
    writeFileSync(join(folder, 'proc/self/mountinfo'), mount('', 'ext4') + mount('fast', 'xfs') + mount('data', 'zfs'));
    symlinkSync(join(folder, 'fast'), join(folder, 'link'));
    mkdirSync(join(folder, 'fast/runs'));
    const roots = [join(folder, 'link/runs'), join(folder, 'not/there/yet')];
    const spaces = createSpaces(
      { procfs: join(folder, 'proc'), roots, database: join(folder, 'data/signalbox.db') },
      createHostFiles(),
    );
    t.teardown(spaces.close);
    let found = spaces.look(0);
    t.equal(found.readings.diskFree, 'its file system has not answered', 'nobody waits for it');
    while (found.spaces.some(({ use, free }) => use !== 'shm' && free === null)) {
      await new Promise(setImmediate);
      found = spaces.look(0);
    }
    t.match(found.spaces, [
      { path: roots[0], use: 'watched', type: 'xfs', total: Number, free: Number },
      { path: roots[1], use: 'watched', type: 'ext4', total: Number, free: Number },
      { path: join(folder, 'data'), use: 'database', type: 'zfs', total: Number, free: Number },
      { path: '/dev/shm', use: 'shm' },
    ]);
    t.equal(found.readings.diskFree, Math.min(...found.spaces.slice(0, 3).map(({ free }) => free ?? 0)));
  },
);

t.test('a disk that does not answer has no space, is asked once, and counts again when it answers', async (t) => {
  let answer = (_: number): void => {};
  let asked = 0;
  const question = createQuestion(0, () => {
    asked += 1;
    return new Promise<number>((resolve) => {
      answer = resolve;
    });
  });
  t.equal(question.latest(), null);
  t.equal(question.latest(), null);
  t.equal(asked, 1);
  answer(7);
  await new Promise(setImmediate);
  t.equal(question.latest(false), 7);
  t.equal(asked, 1, 'and not while it may not');
});
