import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startService } from '../test/service.ts';
import { installNvidiaSmi } from '../test/simulators/fake-program.js';
import type { Report } from './figures.ts';

const GPUS = 8;
const WARM_UP_S = 15;
const MEASURE_S = 60;
/** USER_HZ, in which /proc counts CPU time: 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;

/**
 * The whole service beside one running training and 8 simulated GPUs at 1 Hz, with its defaults: CPU time of all its
 * processes over a minute, and their memory at the end. The fake nvidia-smi stands in for NVIDIA's program and is not
 * ours: it is left out of both.
 */
export const measure = async (report: Report): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const run = join(folder, 'runs/detect/train');
  mkdirSync(run, { recursive: true });
  writeFileSync(join(run, 'args.yaml'), 'task: detect\nmode: train\nmodel: yolo11n.pt\nepochs: 100\ndevice: 0\n');
  const startAt = Date.now();
  const simulationFile = join(folder, 'simulation.json');
  writeFileSync(
    simulationFile,
    JSON.stringify({
      clock: { startAt, wallStartAt: startAt, speed: 1 },
      driver: '550.163.01',
      gpus: Array.from({ length: GPUS }, (_, i) => ({
        uuid: `GPU-00000000-0000-4000-8000-00000000000${i}`,
        name: 'NVIDIA A100-SXM4-80GB',
        memoryMib: 81_920,
        powerLimit: 400,
      })),
      trainings: [{ name: 'train', startS: 0, epochs: 100, secondsPerEpoch: 60, seed: 1 }],
    }),
  );
  const nvidiaSmi = installNvidiaSmi({ folder: join(folder, 'bin'), simulationFile });
  const service = await startService([
    ...['--watch', join(folder, 'runs'), '--db', join(folder, 'bench.db')],
    ...['--gpu', 'nvidia-smi', '--nvidia-smi', nvidiaSmi],
  ]);

  let epoch = 0;
  const writeRow = () => {
    epoch += 1;
    const header = 'epoch,time,train/box_loss,metrics/mAP50(B),metrics/mAP50-95(B),val/box_loss,lr/pg0\n';
    const row = `${epoch},${epoch * 20},${1 / epoch},0.5,0.4,${1.1 / epoch},0.01\n`;
    appendFileSync(join(run, 'results.csv'), epoch === 1 ? header + row : row);
  };
  writeRow();
  await sleep(WARM_UP_S * 1000);
  const before = cpuSecondsOf(service.pid);
  for (let s = 0; s < MEASURE_S; s += 20) {
    writeRow();
    await sleep(20_000);
  }
  const used = cpuSecondsOf(service.pid) - before;
  report('cpu', (100 * used) / MEASURE_S, '% of a core');
  report('rss', rssOf(service.pid) / 1e6, 'MB');

  await service.stop();
  rmSync(folder, { recursive: true });
};

const processesOf = (pid: number): number[] => {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => statOf(Number(name))?.parent === pid && !isSimulator(Number(name)))
    .map(Number);
  return [pid, ...children.flatMap(processesOf)];
};

const isSimulator = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('nvidia-smi');

const cpuSecondsOf = (pid: number): number =>
  processesOf(pid).reduce((total, each) => total + (statOf(each)?.cpuS ?? 0), 0);

const rssOf = (pid: number): number =>
  processesOf(pid).reduce((total, each) => {
    const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1];
    return total + Number(kib ?? 0) * 1024;
  }, 0);

/** Fields 4 (parent), 14 and 15 (CPU time in user and kernel) of proc_pid_stat(5); null for a process that has ended. */
const statOf = (pid: number): { parent: number; cpuS: number } | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), cpuS: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S };
  } catch {
    return null;
  }
};
