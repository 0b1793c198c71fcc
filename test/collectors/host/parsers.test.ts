import t from 'tap';
import {
  parseCpuTicks,
  parseDisks,
  parseLoadAverage,
  parseMemory,
  parseNetwork,
  parsePressure,
  rateOf,
} from '../../../src/collectors/host/parsers.ts';

t.test('CPU ticks: waiting for I/O is idle time of its own, guest time is not counted twice', async (t) => {
  const stat = 'cpu  100 10 50 800 30 5 5 0 70 10\ncpu0 1 1 1 1 1 1 1 0 0 0\nbtime 1\n';
  t.same(parseCpuTicks(stat), { busy: 170, iowait: 30, total: 1000 });
  t.equal(parseCpuTicks(''), null);
  t.equal(parseCpuTicks('cpu  1 2 x 4\n'), null);
});

t.test('memory in use is what cannot be had back', async (t) => {
  const meminfo =
    'MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    600 kB\nSwapTotal:       50 kB\nSwapFree:        40 kB\n';
  t.same(parseMemory(meminfo), { total: 1_024_000, used: 409_600, swapUsed: 10_240 });
  t.equal(parseMemory('MemTotal: 1000 kB\nMemFree: 100 kB\n'), null, 'a kernel that does not say what is available');
});

t.test('whole disks are counted, not their partitions and not what stands on them', async (t) => {
  const diskstats = `
   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9
 259       0 nvme0n1 10 0 2000 1 20 0 400 1 0 50 2
 259       1 nvme0n1p1 10 0 2000 1 20 0 400 1 0 50 2
   8       0 sda 1 0 8 1 1 0 16 1 0 7 2 0 0 0 0 5 6
   8       1 sda1 1 0 8 1 1 0 16 1 0 7 2 0 0 0 0 5 6
 253       0 dm-0 1 0 8 1 1 0 16 1 0 7 2
   9       0 md127 1 0 8 1 1 0 16 1 0 7 2
 252       3 vdb1 1 0 8 1 1 0 16 1 0 9 2
broken line
`;
  t.same(parseDisks(diskstats), [
    { name: 'nvme0n1', read: 1_024_000, written: 204_800, busyMs: 50 },
    { name: 'sda', read: 4096, written: 8192, busyMs: 7 },
    { name: 'vdb1', read: 4096, written: 8192, busyMs: 9 },
  ]);
});

t.test('the network is its real interfaces, without loopback, bridges and containers', async (t) => {
  const netDev = `Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
  eth0:1000 1 0 0 0 0 0 0 300 1 0 0 0 0 0 0
  eth1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0
docker0: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0
`;
  t.same(parseNetwork(netDev), { received: 1005, sent: 306 });
  t.equal(parseNetwork(''), null);
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
