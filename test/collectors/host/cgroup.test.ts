import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { createCgroup } from '../../../src/collectors/host/cgroup.ts';
import {
  parseCgroupPlace,
  parseCpuLimit,
  parseMemoryLimit,
  statOf,
} from '../../../src/collectors/host/cgroup-parsers.ts';
import { createHostFiles } from '../../../src/collectors/host/file.ts';

const GIB = 2 ** 30;
const FIND_AGAIN_MS = 10_000;

/** A machine with these files below /sys/fs/cgroup, on which we are in this cgroup. */
const open = (t: Test, own: string, files: Readonly<Record<string, string>>) => {
  const folder = t.testdir({ proc: { self: { cgroup: own } }, sys: { fs: { cgroup: {} } } });
  const write = (name: string, text: string) => {
    const path = join(folder, 'sys/fs/cgroup', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const cgroup = createCgroup({ procfs: join(folder, 'proc'), sysfs: join(folder, 'sys') }, createHostFiles());
  t.teardown(cgroup.close);
  return { write, remove: (name: string) => rmSync(join(folder, 'sys/fs/cgroup', name)), look: cgroup.look };
};

t.test(
  'in a container the limits are those of what is mounted, caches that can be dropped are not counted',
  async (t) => {
    const cgroup = open(t, '0::/\n', {
      'cgroup.procs': '',
      'memory.max': `${8 * GIB}\n`,
      'memory.current': `${5 * GIB}\n`,
      'memory.stat': `anon 1\ninactive_file ${GIB}\nactive_file 7\n`,
      'cpu.max': '400000 100000\n',
      'cpu.stat': 'usage_usec 9\nnr_periods 100\nnr_throttled 10\nthrottled_usec 5\n',
    });
    t.same(cgroup.look(0), {
      readings: {
        limitMemory: 8 * GIB,
        limitMemoryUsed: 4 * GIB,
        limitCpuThrottled: 'a rate needs two looks',
      },
      limits: { cpuCores: 4, memory: 8 * GIB },
    });
    cgroup.write('cpu.stat', 'nr_periods 110\nnr_throttled 14\n');
    cgroup.write('memory.current', `${6 * GIB}\n`);
    t.match(cgroup.look(1000).readings, { limitMemoryUsed: 5 * GIB, limitCpuThrottled: 40 });
    t.equal(cgroup.look(2000).readings.limitCpuThrottled, 0, 'no period went by in which anything was held back');
    cgroup.write('cpu.stat', 'nr_periods 3\nnr_throttled 1\n');
    t.equal(cgroup.look(3000).readings.limitCpuThrottled, 'its counter began anew');
  },
);

t.test('of nested cgroups the tightest limit counts, and of equal ones the outer, in which more is used', async (t) => {
  const stat = 'inactive_file 0\n';
  const cgroup = open(t, '0::/slurm/job_7/step_0\n', {
    'cgroup.procs': '',
    'slurm/memory.max': 'max\n',
    'slurm/job_7/memory.max': `${64 * GIB}\n`,
    'slurm/job_7/memory.current': `${40 * GIB}\n`,
    'slurm/job_7/memory.stat': stat,
    'slurm/job_7/step_0/memory.max': `${64 * GIB}\n`,
    'slurm/job_7/step_0/memory.current': `${1 * GIB}\n`,
    'slurm/job_7/step_0/memory.stat': stat,
  });
  t.match(cgroup.look(0), {
    readings: {
      limitMemory: 64 * GIB,
      limitMemoryUsed: 40 * GIB,
      limitCpuThrottled: 'not in a cgroup with a CPU limit',
    },
    limits: { cpuCores: null },
  });
  cgroup.write('slurm/job_7/step_0/memory.max', `${32 * GIB}\n`);
  t.equal(cgroup.look(1000).readings.limitMemory, 64 * GIB, 'where limits stand is not asked at every look');
  t.match(cgroup.look(FIND_AGAIN_MS).readings, { limitMemory: 32 * GIB, limitMemoryUsed: GIB });
});

t.test('version 1 has its controllers in hierarchies of their own, and a huge number for no limit', async (t) => {
  const own = '9:name=systemd:/user\n5:cpuacct,cpu:/box\n4:memory:/box\n0::/\n';
  const cgroup = open(t, own, {
    'memory/tasks': '',
    'memory/memory.limit_in_bytes': '9223372036854771712\n',
    'memory/box/memory.limit_in_bytes': `${2 * GIB}\n`,
    'memory/box/memory.usage_in_bytes': `${GIB}\n`,
    'memory/box/memory.stat': `inactive_file 1\ntotal_inactive_file ${GIB / 2}\n`,
    'cpuacct,cpu/tasks': '',
    'cpuacct,cpu/box/cpu.cfs_quota_us': '50000\n',
    'cpuacct,cpu/box/cpu.cfs_period_us': '100000\n',
    'cpuacct,cpu/box/cpu.stat': 'nr_periods 10\nnr_throttled 0\nthrottled_time 0\n',
    'cpuacct,cpu/cpu.cfs_quota_us': '-1\n',
    'cpuacct,cpu/cpu.cfs_period_us': '100000\n',
  });
  t.match(cgroup.look(0), {
    readings: { limitMemory: 2 * GIB, limitMemoryUsed: GIB / 2 },
    limits: { cpuCores: 0.5, memory: 2 * GIB },
  });
  cgroup.write('cpuacct,cpu/box/cpu.stat', 'nr_periods 14\nnr_throttled 3\nthrottled_time 9\n');
  t.equal(cgroup.look(1000).readings.limitCpuThrottled, 75);
});

t.test('a path that is the host’s, seen from inside a container, means what is mounted there', async (t) => {
  for (const path of ['/docker/0123abcd', '/../../kubepods/pod1']) {
    const cgroup = open(t, `4:memory:${path}\n`, {
      'memory/tasks': '',
      'memory/memory.limit_in_bytes': `${GIB}\n`,
      'memory/memory.usage_in_bytes': '4096\n',
      'memory/memory.stat': 'total_inactive_file 4097\n',
    });
    t.match(cgroup.look(0).readings, { limitMemory: GIB, limitMemoryUsed: 0 }, path);
  }
});

t.test('a limit that goes is gone, one that comes is seen, and a file that fails says so', async (t) => {
  const cgroup = open(t, '0::/\n', { 'cgroup.procs': '', 'memory.max': `${GIB}\n`, 'memory.current': '1\n' });
  t.match(cgroup.look(0).readings, { limitMemory: GIB, limitMemoryUsed: 'our cgroup cannot be read' });
  cgroup.remove('memory.max');
  t.equal(cgroup.look(FIND_AGAIN_MS).readings.limitMemory, 'not in a cgroup with a memory limit');
  cgroup.write('memory.max', `${2 * GIB}\n`);
  cgroup.write('memory.stat', 'inactive_file 0\n');
  t.match(cgroup.look(2 * FIND_AGAIN_MS).readings, { limitMemory: 2 * GIB, limitMemoryUsed: 1 });
});

t.test('without a /sys, or with none of its files, nothing is invented', async (t) => {
  const folder = t.testdir({ proc: {} });
  const blind = createCgroup({ procfs: join(folder, 'proc'), sysfs: null }, createHostFiles());
  t.match(blind.look(0), { readings: { limitMemory: 'there is no /sys to look at' }, limits: null });
  t.match(open(t, 'hello\n0:\n', {}).look(0), { readings: { limitMemory: 'our cgroup cannot be read' }, limits: null });
});

t.test('texts that are no limits', async (t) => {
  t.same(['max\n', '', '-1\n', '1e5\n', '9223372036854771712\n'].map(parseMemoryLimit), [null, null, null, null, null]);
  t.same(['max 100000\n', '-1 100000', '100000 0\n', '100000', 'a b'].map(parseCpuLimit), [
    null,
    null,
    null,
    null,
    null,
  ]);
  t.equal(statOf('workingset_nodes 3\nnodes 4\n', 'nodes'), 4);
  t.equal(parseCgroupPlace('4:memory\n::\n5:cpu:relative\n', 'memory'), null);
});
