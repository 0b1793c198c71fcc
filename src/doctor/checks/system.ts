import { type Check, check } from '../check.ts';
import type { MachineFacts } from '../facts/machine.ts';
import type { ProcessesFacts } from '../facts/processes.ts';
import { counted } from '../wording.ts';

export const judgeSystem = (facts: MachineFacts): readonly Check[] => [judgeKernelLog(facts), judgePressure(facts)];

const KERNEL_LOG = { id: 'kernel-log', group: 'system', title: 'Kernel log' } as const;

const judgeKernelLog = ({ kernelLog, container }: MachineFacts): Check => {
  const { refusal, dmesgRestrict } = kernelLog;
  if (refusal === null)
    return check(KERNEL_LOG, {
      status: 'ok',
      says: 'can be read: XIDs and kills for want of memory are seen',
      facts: kernelLog,
    });
  const inContainer = 'docker run --device /dev/kmsg --cap-add SYSLOG …';
  const fix =
    container !== null
      ? [inContainer]
      : dmesgRestrict === '1'
        ? ['sudo sysctl kernel.dmesg_restrict=0', 'or start the service with the capability CAP_SYSLOG']
        : ['let this user read it: sudo setfacl -m u:USER:r /dev/kmsg'];
  return check(KERNEL_LOG, {
    status: 'warning',
    says: `cannot be read (${refusal}): XIDs of GPUs are known only as far as NVML tells them, and a kill for want of memory shows as "process gone"`,
    facts: kernelLog,
    fix,
  });
};

const judgePressure = ({ pressure }: MachineFacts): Check => {
  const subject = { id: 'pressure', group: 'system', title: 'Pressure (PSI)' } as const;
  const facts = { refusal: pressure };
  if (pressure === null) return check(subject, { status: 'ok', says: 'is measured', facts });
  return check(subject, {
    status: 'warning',
    says: `this kernel does not measure it (${pressure}): whether a disk or the CPU holds the dataloader up is told less well`,
    facts,
    fix:
      pressure === 'ENOENT'
        ? ['a kernel with CONFIG_PSI, 4.20 or newer']
        : ['start the kernel with psi=1 (RHEL and others switch it off)'],
  });
};

export const judgeProcesses = (facts: ProcessesFacts): readonly Check[] => [judgeVisible(facts), judgeOthers(facts)];

const judgeVisible = ({ hidepid, isRoot, seen }: ProcessesFacts): Check => {
  const subject = { id: 'hidepid', group: 'system', title: 'Processes' } as const;
  const facts = { hidepid, seen };
  if (hidepid === null || isRoot)
    return check(subject, { status: 'ok', says: `${counted(seen, 'process', 'processes')} can be seen`, facts });
  return check(subject, {
    status: 'warning',
    says: `/proc hides those of other users (hidepid=${hidepid}): a colleague's training on a GPU has no name here`,
    facts,
    fix: ['run the service as a member of the group in the gid= option of /proc, or as the user who trains'],
  });
};

const judgeOthers = ({ others, othersReadable }: ProcessesFacts): Check => {
  const subject = { id: 'other-users', group: 'system', title: 'Other users' } as const;
  const facts = { others, othersReadable };
  if (others === 0) return check(subject, { status: 'ok', says: 'no process of another person runs here', facts });
  if (othersReadable === others)
    return check(subject, {
      status: 'ok',
      says: `all of their ${counted(others, 'process', 'processes')} can be looked into`,
      facts,
    });
  return check(subject, {
    status: 'warning',
    says: `${others - othersReadable} of their ${counted(others, 'process', 'processes')} cannot be looked into: of their trainings the folder and the disk I/O are not known`,
    facts,
    fix: [
      'where that matters: give the service the capability CAP_SYS_PTRACE (systemd: AmbientCapabilities=CAP_SYS_PTRACE)',
    ],
  });
};
