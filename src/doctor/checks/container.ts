import { type Check, check } from '../check.ts';
import type { MachineFacts } from '../facts/machine.ts';
import { bytesInWords } from '../wording.ts';

const MIB = 2 ** 20;
/** What Docker gives when nobody asks; a dataloader with workers dies of it ("bus error"). */
const DOCKER_SHM = 64 * MIB;
const LITTLE_SHM = 1024 * MIB;
/** The service alone takes about 150 MiB. */
const LITTLE_MEMORY = 384 * MIB;
const FEW_CORES = 0.25;

export const judgeContainer = (facts: MachineFacts): readonly Check[] => [
  judgePids(facts),
  judgeShm(facts),
  judgeLimits(facts),
];

const judgePids = ({ container, pidsAreForeign }: MachineFacts): Check => {
  const subject = { id: 'container-pids', group: 'container', title: 'Processes' } as const;
  const facts = { container, pidsAreForeign };
  if (pidsAreForeign !== null) {
    return check(subject, {
      status: 'warning',
      says: `this is ${inWords(container)}, and it does not see the processes of the host: which process holds a GPU is not known, and no run is matched to its process`,
      facts,
      fix: ['docker run --pid=host …', 'Compose: pid: host', 'Kubernetes: hostPID: true'],
    });
  }
  const says =
    container === null ? 'not in a container' : `in ${inWords(container)} that sees the processes of the host`;
  return check(subject, { status: 'ok', says, facts });
};

const inWords = (container: string | null): string =>
  container === null || container === 'a container' ? 'a container' : `a ${container} container`;

const judgeShm = ({ shm, container }: MachineFacts): Check => {
  const subject = { id: 'shm', group: 'container', title: '/dev/shm' } as const;
  const facts = { shm };
  const fix =
    container === null
      ? ['sudo mount -o remount,size=50% /dev/shm']
      : ['docker run --shm-size=8g … or --ipc=host', 'Kubernetes: an emptyDir with medium: Memory at /dev/shm'];
  if (shm === null)
    return check(subject, { status: 'warning', says: 'not there: dataloader workers need it', facts, fix });
  const says = `${bytesInWords(shm.total)}, ${bytesInWords(shm.free)} free`;
  if (shm.total <= DOCKER_SHM) {
    const here = container === null ? '' : ' (a training in a container of its own has its own)';
    return check(subject, {
      status: 'warning',
      says: `${says}: a training that runs here with dataloader workers dies of it, with "bus error"${here}`,
      facts,
      fix,
    });
  }
  if (shm.free < Math.min(LITTLE_SHM, shm.total / 4))
    return check(subject, {
      status: 'warning',
      says: `${says}: nearly full, dataloader workers may die of it`,
      facts,
      fix,
    });
  return check(subject, { status: 'ok', says, facts });
};

const judgeLimits = ({ limits }: MachineFacts): Check => {
  const subject = { id: 'limits', group: 'container', title: 'Limits' } as const;
  const { memory, cpuCores } = limits;
  const said = [
    ...(memory === null ? [] : [`${bytesInWords(memory)} of memory`]),
    ...(cpuCores === null ? [] : [`${Number(cpuCores.toFixed(2))} CPU cores`]),
  ];
  if (said.length === 0) return check(subject, { status: 'ok', says: 'none on memory or CPU', facts: { limits } });
  const isTight = (memory !== null && memory < LITTLE_MEMORY) || (cpuCores !== null && cpuCores < FEW_CORES);
  const says = `this process may use ${said.join(' and ')}`;
  return isTight
    ? check(subject, {
        status: 'warning',
        says: `${says}: too little to rely on`,
        facts: { limits },
        fix: [`give it ${bytesInWords(LITTLE_MEMORY)} and half a core`],
      })
    : check(subject, { status: 'ok', says, facts: { limits } });
};
