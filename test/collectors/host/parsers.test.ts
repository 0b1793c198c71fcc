import t from 'tap';
import {
  parseDisks,
  parseLoadAverage,
  parseMemory,
  parseNetworks,
  parsePressure,
  parseProcessor,
  rateOf,
} from '../../../src/collectors/host/parsers.ts';

t.test('CPU ticks: waiting for I/O is idle time of its own, guest time is not counted twice', async (t) => {
  const stat = 'cpu  100 10 50 800 30 5 5 0 70 10\ncpu0 1 1 1 1 1 1 1 0 0 0\nintr 5 0 0\nbtime 1\n';
  const first = { busy: 5, iowait: 1, total: 7 };
  t.same(parseProcessor(stat), { all: { busy: 170, iowait: 30, total: 1000 }, cores: [first] });
  t.same(parseProcessor('cpu  1 2 3 4'), { all: { busy: 6, iowait: 0, total: 10 }, cores: [] }, 'four columns alone');
});

t.test('a core that is offline leaves its place empty, and the others keep theirs', async (t) => {
  const { cores } = parseProcessor('cpu  9 0 0 9\ncpu0 1 0 0 1\ncpu3 2 0 0 2\nintr 0\n');
  t.same(
    cores.map((core) => core?.total ?? null),
    [2, null, null, 4],
  );
});

t.test('every core of a large machine has its ticks', async (t) => {
  const lines = Array.from({ length: 256 }, (_, core) => `cpu${core} ${core} 0 0 100 0 0 0 0 0 0\n`);
  const { cores } = parseProcessor(`cpu  1 0 0 1 0\n${lines.join('')}intr ${'0 '.repeat(20_000)}\n`);
  t.equal(cores.length, 256);
  t.equal(cores[255]?.busy, 255);
});

t.test('what is no /proc/stat gives no ticks, and never as many cores as it says', async (t) => {
  t.same(parseProcessor(''), { all: null, cores: [] });
  t.same(parseProcessor('cpu  1 2 x 4\ncpu0 -1 2 3 4\n'), { all: null, cores: [] });
  t.same(parseProcessor('cpu4294967295 1 2 3 4\ncpu1e9 1 2 3 4\ncpu\ncpu'), { all: null, cores: [] });
});

t.test('memory in use is what cannot be had back', async (t) => {
  const meminfo =
    'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    600 kB\nSwapTotal:       50 kB\nSwapFree:        40 kB\n';
  t.same(parseMemory(meminfo), { total: 1_024_000, used: 409_600, swapUsed: 10_240 });
  t.same(
    parseMemory('MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 1 kB\n'),
    { total: 1_024_000, used: null, swapUsed: null },
    'Linux 3.10 does not say what is available',
  );
  t.same(parseMemory('MemTotal: lots\nXMemTotal: 5 kB\n'), { total: null, used: null, swapUsed: null });
});

t.test('whole disks are counted, not their partitions and not what stands on them', async (t) => {
  const diskstats = `
   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9
 259       0 nvme0n1 10 0 2000 1 20 0 400 5 0 50 2
 259       1 nvme0n1p1 10 0 2000 1 20 0 400 1 0 50 2
   8       0 sda 1 0 8 1 1 0 16 1 0 7 2 0 0 0 0 5 6
   8       1 sda1 1 0 8 1 1 0 16 1 0 7 2 0 0 0 0 5 6
   8      16 sdb 1 0 8 1 1 0 16 1 0 3 2 0 0 0 0
 253       0 dm-0 1 0 8 1 1 0 16 1 0 7 2
   9       0 md127 1 0 8 1 1 0 16 1 0 7 2
 252       3 vdb1 1 0 8 1 1 0 16 1 0 9 2
   8      32 sdc 1 0 8
   8      48 sdd a b c d e f g h i j k
broken line
`;
  const small = { read: 4096, written: 8192, requests: 2, requestMs: 2 };
  t.same(
    parseDisks(diskstats),
    [
      { name: 'nvme0n1', read: 1_024_000, written: 204_800, requests: 30, requestMs: 6, busyMs: 50 },
      { name: 'sda', ...small, busyMs: 7 },
      { name: 'sdb', ...small, busyMs: 3 },
      { name: 'vdb1', ...small, busyMs: 9 },
    ],
    '14 columns (Linux 3.10), 18 (4.18) and 20 (5.5)',
  );
});

t.test('the network is its real interfaces, without loopback, bridges, VLANs, tunnels and containers', async (t) => {
  const netDev = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0:1000 1 0 0 0 0 0 0 300 1 0 0 0 0 0 0
   ib0: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0
eth0.12: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0
docker0: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
  ifb0: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
  eth9: 7 1 0
  eth8: a lot
`;
  t.same(parseNetworks(netDev), [
    { name: 'eth0', received: 1000, sent: 300 },
    { name: 'ib0', received: 5, sent: 6 },
  ]);
  t.same(parseNetworks(''), []);
});

t.test('pressure and load', async (t) => {
  t.equal(
    parsePressure('some avg10=12.50 avg60=1.00 avg300=0.00 total=5\nfull avg10=3.00 avg60=0 avg300=0 total=1\n'),
    12.5,
  );
  t.equal(parsePressure(''), null, 'a kernel without pressure information');
  t.equal(parseLoadAverage('0.52 0.58 0.59 1/389 12345\n'), 0.52);
  t.equal(parseLoadAverage(''), null);
});

t.test('a rate needs two looks, and a counter that began anew gives none', async (t) => {
  t.equal(rateOf(undefined, 100, 1000), null);
  t.equal(rateOf(100, 400, 2000), 150);
  t.equal(rateOf(400, 100, 1000), null);
  t.equal(rateOf(100, 400, 0), null);
});
