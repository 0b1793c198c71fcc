import t from 'tap';
import { judgeFileClocks, judgeSteady, judgeSynchronized } from '../../src/doctor/checks/clock.ts';
import { judgeContainer } from '../../src/doctor/checks/container.ts';
import { judgeProcesses, judgeSystem } from '../../src/doctor/checks/system.ts';
import type { FolderFacts } from '../../src/doctor/facts/folder.ts';
import type { MachineFacts } from '../../src/doctor/facts/machine.ts';
import type { ProcessesFacts } from '../../src/doctor/facts/processes.ts';
import { checkOf, statuses } from './judged.ts';

const GIB = 2 ** 30;
const GOOD: MachineFacts = {
  container: null,
  pidsAreForeign: null,
  shm: { total: 16 * GIB, free: 16 * GIB },
  limits: { memory: null, cpuCores: null },
  kernelLog: { refusal: null, dmesgRestrict: '0' },
  pressure: null,
  inotify: { watches: 65_536, instances: 128 },
  clock: { isSynchronized: true, keeper: 'systemd-timesyncd' },
};
const PROCESSES: ProcessesFacts = {
  hidepid: null,
  isRoot: false,
  seen: 200,
  others: 0,
  othersReadable: 0,
  inotify: { watches: 10, instances: 2, isWhole: true },
};
const NOW = 1_790_000_000_000;

t.test('a plain machine is fine', async (t) => {
  t.same(statuses([...judgeContainer(GOOD), ...judgeSystem(GOOD), ...judgeProcesses(PROCESSES)]), {
    'container-pids': 'ok',
    shm: 'ok',
    limits: 'ok',
    'kernel-log': 'ok',
    pressure: 'ok',
    hidepid: 'ok',
    'other-users': 'ok',
  });
});

t.test('a container without the pids of the host says what it cannot know and how to allow it', async (t) => {
  const checks = judgeContainer({ ...GOOD, container: 'Docker', pidsAreForeign: 'the driver names processes …' });
  t.match(checkOf(checks, 'container-pids'), {
    status: 'warning',
    says: /^this is a Docker container.*which process holds a GPU is not known/,
    fix: [/--pid=host/, /pid: host/, /hostPID: true/],
  });
  const seeing = judgeContainer({ ...GOOD, container: 'Podman' });
  t.match(checkOf(seeing, 'container-pids'), { status: 'ok', says: /Podman container that sees/ });
});

t.test('the 64 MiB of shared memory that Docker gives are told with what dies of them', async (t) => {
  const shmOf = (shm: MachineFacts['shm'], container: string | null) =>
    checkOf(judgeContainer({ ...GOOD, shm, container }), 'shm');
  const docker = { total: 64 * 2 ** 20, free: 64 * 2 ** 20 };
  t.match(shmOf(docker, 'Docker'), { status: 'warning', says: /bus error/, fix: [/--shm-size/, /Memory/] });
  t.match(shmOf({ total: 16 * GIB, free: 2 ** 20 }, null), {
    status: 'warning',
    says: /nearly full/,
    fix: [/remount/],
  });
  t.match(shmOf(null, null), { status: 'warning', says: /not there/ });
});

t.test('limits are told, and tight ones are a warning', async (t) => {
  const limitsOf = (memory: number | null, cpuCores: number | null) =>
    checkOf(judgeContainer({ ...GOOD, limits: { memory, cpuCores } }), 'limits');
  t.match(limitsOf(8 * GIB, 2), { status: 'ok', says: 'this process may use 8 GiB of memory and 2 CPU cores' });
  t.match(limitsOf(256 * 2 ** 20, null), { status: 'warning', fix: [/384 MiB/] });
  t.match(limitsOf(null, 0.1), { status: 'warning' });
});

t.test('a kernel log that may not be read costs the XIDs; what to do fits the reason', async (t) => {
  const logOf = (dmesgRestrict: string, container: string | null) =>
    checkOf(judgeSystem({ ...GOOD, container, kernelLog: { refusal: 'EPERM', dmesgRestrict } }), 'kernel-log');
  t.match(logOf('1', null), { status: 'warning', says: /XIDs/, fix: [/dmesg_restrict=0/, /CAP_SYSLOG/] });
  t.match(logOf('0', null), { status: 'warning', fix: [/setfacl/] });
  t.match(logOf('1', 'Docker'), { status: 'warning', fix: [/--device \/dev\/kmsg/] });
});

t.test('a kernel without PSI is told from one where it is switched off', async (t) => {
  t.match(checkOf(judgeSystem({ ...GOOD, pressure: 'ENOENT' }), 'pressure'), { status: 'warning', fix: [/4\.20/] });
  t.match(checkOf(judgeSystem({ ...GOOD, pressure: 'EOPNOTSUPP' }), 'pressure'), { fix: [/psi=1/] });
});

t.test('processes of others: hidden, closed, or open', async (t) => {
  t.match(checkOf(judgeProcesses({ ...PROCESSES, hidepid: 'invisible' }), 'hidepid'), {
    status: 'warning',
    says: /hidepid=invisible/,
  });
  t.match(checkOf(judgeProcesses({ ...PROCESSES, hidepid: '2', isRoot: true }), 'hidepid'), { status: 'ok' });
  t.match(checkOf(judgeProcesses({ ...PROCESSES, others: 5, othersReadable: 1 }), 'other-users'), {
    status: 'warning',
    says: /^4 of their 5 processes/,
    fix: [/CAP_SYS_PTRACE/],
  });
  t.match(checkOf(judgeProcesses({ ...PROCESSES, others: 5, othersReadable: 5 }), 'other-users'), { status: 'ok' });
});

t.test('whoever keeps the clock: in step, not in step, only it can say, or nobody', async (t) => {
  const clockOf = (isSynchronized: boolean | null, keeper: string | null, container: string | null = null, now = NOW) =>
    judgeSynchronized({ isSynchronized, keeper }, now, container);
  t.match(clockOf(true, 'systemd-timesyncd'), { status: 'ok', says: 'by systemd-timesyncd' });
  t.match(clockOf(false, 'systemd-timesyncd'), { status: 'warning' });
  t.match(clockOf(null, 'chronyd'), { status: 'ok', says: /chronyd runs/ });
  t.match(clockOf(null, null), { status: 'unknown', fix: [/timedatectl/] });
  t.match(clockOf(null, null, 'Docker'), { status: 'unknown', says: /host/ });
  t.match(clockOf(true, 'chronyd', null, 0), { status: 'problem', says: /1970/ });
});

t.test('a clock that jumps while it is looked at is a warning', async (t) => {
  t.match(judgeSteady({ movedMs: 3, overMs: 2000 }), { status: 'ok' });
  t.match(judgeSteady({ movedMs: -1500, overMs: 2000 }), { status: 'warning', says: /1\.5 s backwards within 2 s/ });
});

t.test('a file server whose clock is ahead is found by files from the future', async (t) => {
  const folder = (path: string, newestAheadMs: number | null): FolderFacts => ({
    ...{ path, state: 'there', code: null, fileSystem: 'nfs4', givesHints: false },
    ...{ runFolders: 1, unreadable: 0, walkMs: 1, isWhole: true, newestAheadMs },
  });
  t.match(judgeFileClocks([folder('/a', -5), folder('/b', 90_000)]), [
    { status: 'warning', says: 'the newest file below /b is 90 s in the future' },
  ]);
  t.match(judgeFileClocks([folder('/a', -5), folder('/b', 500)]), [{ status: 'ok' }]);
  t.same(judgeFileClocks([folder('/a', null)]), []);
});
