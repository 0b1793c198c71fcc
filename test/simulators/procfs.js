import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const CORES = 16;
const MEMORY_KIB = 128 * 1024 * 1024;
const TICKS = 100;

/**
 * What the simulated host does in one second, as shares (0 to 1) and bytes a second.
 * @typedef {{ cpu: number, iowait: number, diskBusy: number, diskRead: number, diskWrite: number, memory: number,
 *   pressureIo: number, pressureCpu: number }} HostLoad
 */

/** @type {Record<'idle' | 'training' | 'waits for the disk' | 'waits for the CPU', HostLoad>} */
export const HOST_LOADS = {
  idle: {
    cpu: 0.02,
    iowait: 0,
    diskBusy: 0.01,
    diskRead: 0,
    diskWrite: 2e5,
    memory: 0.08,
    pressureIo: 0,
    pressureCpu: 0,
  },
  training: {
    cpu: 0.42,
    iowait: 0.01,
    diskBusy: 0.14,
    diskRead: 1.2e8,
    diskWrite: 8e5,
    memory: 0.31,
    pressureIo: 1.2,
    pressureCpu: 0.8,
  },
  'waits for the disk': {
    cpu: 0.07,
    iowait: 0.34,
    diskBusy: 0.99,
    diskRead: 3.1e7,
    diskWrite: 4e5,
    memory: 0.32,
    pressureIo: 61,
    pressureCpu: 0.2,
  },
  'waits for the CPU': {
    cpu: 0.98,
    iowait: 0,
    diskBusy: 0.1,
    diskRead: 4e7,
    diskWrite: 4e5,
    memory: 0.32,
    pressureIo: 0.6,
    pressureCpu: 74,
  },
};

/** Bytes of every file, more than any text here has; the rest is empty lines, which the kernel's readers skip. */
const FILE_BYTES = 2048;
/** Milliseconds that a request takes on a disk that has nothing else to do, and bytes that it moves. */
const REQUEST_MS = 0.2;
const REQUEST_BYTES = 128 * 1024;

const MOUNTINFO = `22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
25 22 0:24 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw,inode64
`;

/**
 * A folder that looks like /proc to the host collector: the same files, with counters that only grow. Who reads /proc
 * keeps the files open, so each is overwritten in place by one write of its whole, constant length: it is never
 * truncated, and no reader finds half a text.
 * @param {string} folder
 */
export const createProcfs = (folder) => {
  for (const name of ['', 'net', 'pressure', 'self']) mkdirSync(join(folder, name), { recursive: true });
  const cores = Array.from({ length: CORES }, () => ({ user: 0, system: 0, idle: 0, iowait: 0 }));
  const disk = { reads: 0, writes: 0, read: 0, written: 0, readMs: 0, writeMs: 0, busyMs: 0 };
  let network = 0;
  let pressureIo = 0;

  /** Lets `seconds` pass under a load and writes what /proc would say then. @param {HostLoad} load @param {number} seconds */
  const advance = (load, seconds) => {
    for (const [core, ticks] of cores.entries()) {
      const busy = shareOfCore(load, core);
      ticks.user += TICKS * seconds * busy * 0.85;
      ticks.system += TICKS * seconds * busy * 0.15;
      ticks.iowait += TICKS * seconds * load.iowait;
      ticks.idle += TICKS * seconds * (1 - busy - load.iowait);
    }
    const requestMs = REQUEST_MS / (1 - Math.min(load.diskBusy, 0.99));
    const reads = (load.diskRead * seconds) / REQUEST_BYTES;
    const writes = (load.diskWrite * seconds) / REQUEST_BYTES;
    disk.reads += reads;
    disk.writes += writes;
    disk.readMs += reads * requestMs;
    disk.writeMs += writes * requestMs;
    disk.read += (load.diskRead * seconds) / 512;
    disk.written += (load.diskWrite * seconds) / 512;
    disk.busyMs += load.diskBusy * seconds * 1000;
    network += 30_000 * seconds;
    pressureIo += (load.pressureIo - pressureIo) * (1 - Math.exp(-seconds / 10));

    const linesOfCores = cores.map((ticks, core) => `cpu${core}${ticksText([ticks])}`);
    const free = Math.round(MEMORY_KIB * (1 - load.memory));
    write('stat', `cpu ${ticksText(cores)}${linesOfCores.join('')}btime 1700000000\n`);
    write(
      'meminfo',
      `MemTotal:       ${MEMORY_KIB} kB\nMemFree:        ${free} kB\nMemAvailable:   ${free} kB\nSwapTotal:      0 kB\nSwapFree:       0 kB\n`,
    );
    const { busyMs } = disk;
    const columns = [
      disk.reads,
      0,
      disk.read,
      disk.readMs,
      disk.writes,
      0,
      disk.written,
      disk.writeMs,
      0,
      busyMs,
      busyMs,
    ];
    write('diskstats', ` 259       0 nvme0n1 ${columns.map(Math.round).join(' ')} 0 0 0 0 0 0\n`);
    write(
      'net/dev',
      `Inter-|   Receive |  Transmit\n face |bytes\n  eth0: ${Math.round(network)} 0 0 0 0 0 0 0 ${Math.round(network / 3)} 0 0 0 0 0 0 0\n`,
    );
    write('loadavg', `${(load.cpu * CORES + load.iowait * CORES).toFixed(2)} 4.00 3.00 3/900 4242\n`);
    write('pressure/cpu', pressureText(load.pressureCpu, 0));
    write('pressure/io', pressureText(pressureIo, pressureIo * 0.8));
    write('pressure/memory', pressureText(0, 0));
  };

  /** Open until the process ends: the service may look until its very end. @type {Map<string, number>} */
  const descriptors = new Map();
  /** @param {string} name @param {string} text */
  const write = (name, text) => {
    const descriptor = descriptors.get(name) ?? openSync(join(folder, name), 'w');
    descriptors.set(name, descriptor);
    writeSync(descriptor, text.padEnd(FILE_BYTES, '\n'), 0, 'latin1');
  };
  write('self/mountinfo', MOUNTINFO);
  advance(HOST_LOADS.idle, 1);
  return { folder, advance };
};

/**
 * The main process keeps the first core busy as soon as there is something to do, as a training's does.
 * @param {HostLoad} load @param {number} core
 */
const shareOfCore = ({ cpu, iowait }, core) => {
  const first = cpu > 0.05 ? Math.max(cpu, 0.97 - iowait) : cpu;
  return core === 0 ? first : (cpu * CORES - first) / (CORES - 1);
};

/** A line of /proc/stat for these cores together. @param {{ user: number, system: number, idle: number, iowait: number }[]} cores */
const ticksText = (cores) => {
  /** @param {'user' | 'system' | 'idle' | 'iowait'} kind */
  const sum = (kind) => Math.round(cores.reduce((total, ticks) => total + ticks[kind], 0));
  return ` ${sum('user')} 0 ${sum('system')} ${sum('idle')} ${sum('iowait')} 0 0 0 0 0\n`;
};

/** @param {number} some @param {number} full */
const pressureText = (some, full) =>
  `some avg10=${some.toFixed(2)} avg60=0.00 avg300=0.00 total=0\nfull avg10=${full.toFixed(2)} avg60=0.00 avg300=0.00 total=0\n`;
