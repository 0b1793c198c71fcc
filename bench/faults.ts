import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startService } from '../test/service.ts';
import { noCompiler } from '../test/simulators/nvml/build.js';
import { installNvml } from '../test/simulators/nvml/install.js';
import { childrenOf } from './children.ts';
import { percentile, type Report } from './figures.ts';

type Fault = Parameters<ReturnType<typeof installNvml>['set']>[0];

const FAULTS: Readonly<Record<string, Fault>> = {
  hang: { function: 'nvmlDeviceGetUtilizationRates', gpu: 1, hangs: true },
  gpu_lost: { gpu: 1, code: 15 },
  driver_gone: { code: 9 },
  version_mismatch: { code: 18 },
};
const SLOW_START: Fault = { function: 'nvmlInit_v2', ms: 30_000 };
const HEALTHY = 'GPU-a';
const FAULTY = 'GPU-b';
const LASTS_MS = 20_000;
const HEALS_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 20;

/**
 * What a fault of the driver costs who asks, on the stub library with two GPUs at 1 Hz: the answers of `/gpus` during
 * 20 s of it, for how many of these seconds the GPU that is well has samples, how soon after healing both have a value
 * again, and how many children the service had at most.
 */
export const measure = async (report: Report): Promise<void> => {
  if (noCompiler !== false) throw new Error(`the stub library cannot be built: ${noCompiler}`);
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
  const now = Date.now();
  const stub = installNvml({
    folder: join(folder, 'nvml'),
    simulation: {
      clock: { startAt: now, wallStartAt: now, speed: 1 },
      driver: '550.163.01',
      gpus: [
        { uuid: HEALTHY, name: 'NVIDIA A100-PCIE-40GB', memoryMib: 40_960, powerLimit: 250 },
        { uuid: FAULTY, name: 'NVIDIA T4', memoryMib: 15_360, powerLimit: 70 },
      ],
      trainings: [{ name: 'train', startS: -40, epochs: 9, secondsPerEpoch: 600, seed: 1, pid: process.pid }],
    },
  });
  const start = (database: string) =>
    startService(
      ['--gpu', 'nvml', '--nvml', stub.library, '--watch', join(folder, 'runs'), '--db', join(folder, database)],
      stub.environment,
    );

  const service = await start('faults.db');
  await ask(service, HEALS_WITHIN_MS, areWell);
  reportAnswers(report, 'none', await ask(service, LASTS_MS));
  for (const [name, fault] of Object.entries(FAULTS)) {
    const from = Date.now();
    stub.set(fault);
    reportAnswers(report, name, await ask(service, LASTS_MS));
    report(`${name}_healthy`, await secondsKnown(service.url, from, Date.now()), `of ${LASTS_MS / 1000} s`);
    stub.clear();
    report(`${name}_back`, (await ask(service, HEALS_WITHIN_MS, areWell)).tookMs, 'ms');
    // The next fault meets a service that is over this one.
    await sleep(3000);
  }
  await service.stop();

  stub.set(SLOW_START);
  const begun = Date.now();
  const late = await start('late.db');
  report('slow_start_listening', Date.now() - begun, 'ms');
  reportAnswers(report, 'slow_start', await ask(late, HEALS_WITHIN_MS, areWell));
  report('slow_start_gpus', Date.now() - begun, 'ms');
  await late.stop();
  rmSync(folder, { recursive: true });
};

type Gpu = { readonly uuid: string; readonly latest: Readonly<Record<string, unknown>> | null };
type Answers = { readonly ms: readonly number[]; readonly children: number; readonly tookMs: number };

/** Asks for the GPUs again and again, for so long or until the answer is the wanted one. */
const ask = async (
  { url, pid }: { readonly url: string; readonly pid: number },
  forMs: number,
  isWanted: (gpus: readonly Gpu[]) => boolean = () => false,
): Promise<Answers> => {
  const ms: number[] = [];
  const begun = Date.now();
  for (let children = 0; ; ) {
    const asked = performance.now();
    const response = await fetch(`${url}/api/v1/gpus`);
    // What the service answers is what its schema says.
    const { items } = (await response.json()) as { readonly items: readonly Gpu[] };
    ms.push(performance.now() - asked);
    children = Math.max(children, childrenOf(pid).length);
    const tookMs = Date.now() - begun;
    if (isWanted(items) || tookMs >= forMs) return { ms, children, tookMs };
    await sleep(ASK_EVERY_MS);
  }
};

const areWell = (gpus: readonly Gpu[]): boolean =>
  gpus.length === 2 && gpus.every(({ latest }) => typeof latest?.utilization === 'number');

const reportAnswers = (report: Report, name: string, { ms, children }: Answers): void => {
  report(`${name}_p50`, percentile(ms, 0.5), 'ms');
  report(`${name}_p99`, percentile(ms, 0.99), 'ms');
  report(`${name}_children`, children, 'at most');
};

/** For how many seconds between two moments the utilization of the GPU that is well is known. */
const secondsKnown = async (url: string, from: number, to: number): Promise<number> => {
  const query = new URLSearchParams({ metrics: 'utilization', from: `${from}`, to: `${to}`, step: '1s' });
  const response = await fetch(`${url}/api/v1/gpus/${HEALTHY}/history?${query}`);
  // What the service answers is what its schema says.
  const { metrics } = (await response.json()) as {
    readonly metrics: { readonly utilization: { readonly avg: readonly (number | null)[] } };
  };
  return metrics.utilization.avg.filter((value) => value !== null).length;
};
