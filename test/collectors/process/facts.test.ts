import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readProcess } from '../../../src/collectors/process/facts.ts';

t.test('a process is told by user, command, folder, start and the folders that it holds open', async (t) => {
  const folder = t.testdir({
    passwd: 'root:x:0:0:root:/root:/bin/bash\nanna:x:1001:1001::/home/anna:/bin/bash\n',
    proc: {
      stat: 'cpu  1 2 3 4\nbtime 1700000000\n',
      4711: {
        status: 'Name:\tpython\nUid:\t0\t1001\t1001\t1001\n',
        stat: `4711 (py (thon) 3) S 4700 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 250050 1 2 3\n`,
        cmdline: 'python\0train.py\0--token\0abc\0',
        environ: 'HOME=/home/anna\0WANDB_API_KEY=geheim\0CUDA_VISIBLE_DEVICES=1,MIG-7\0RANK=0\0=\0odd\0XRANK=1\0',
        fd: {},
      },
      4700: { stat: '4700 (torchrun) S 4600 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 250000 1 2 3\n' },
      4600: { stat: '4600 (ba) sh) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 240000 1 2 3\n' },
    },
  });
  const run = join(folder, 'runs/train');
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'train.log'), '');
  const process = join(folder, 'proc/4711');
  symlinkSync(join(folder, 'runs'), join(process, 'cwd'));
  symlinkSync(join(run, 'train.log'), join(process, 'fd/1'));
  symlinkSync('/data/images/1.jpg (deleted)', join(process, 'fd/2'));
  symlinkSync('pipe:[4711]', join(process, 'fd/3'));
  symlinkSync('/dev/nvidia0', join(process, 'fd/4'));

  const sources = { procfs: join(folder, 'proc'), passwd: join(folder, 'passwd') };
  t.same(readProcess(4711, sources), {
    user: 'anna',
    command: 'python train.py --token ***',
    cwd: join(folder, 'runs'),
    startedAt: 1_700_000_000_000 + 2_500_500,
    openFolders: [run, '/data/images'],
    parents: [4700, 4600],
    environment: { CUDA_VISIBLE_DEVICES: '1,MIG-7', RANK: '0' },
  });
  writeFileSync(join(folder, 'passwd'), '');
  t.equal(readProcess(4711, sources).user, '1001', 'a user without a name is told by number');
});

t.test('a process that has ended, or a system without /proc, is not known and no error', async (t) => {
  const unknown = { user: null, command: null, cwd: null, startedAt: null, environment: null };
  const nothing = { ...unknown, openFolders: [], parents: [] };
  t.same(readProcess(4711, { procfs: t.testdir({ stat: 'btime 1\n' }), passwd: '/nonexistent' }), nothing);
  t.same(readProcess(4711, { procfs: '/nonexistent', passwd: '/nonexistent' }), nothing);
});
