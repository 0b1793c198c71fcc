import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { type Check, check } from './check.ts';
import { judgeGpu } from './checks/gpu.ts';
import { SUBJECTS } from './checks/subjects.ts';
import { judgeProbed } from './checks/unanswered.ts';
import { readNetwork } from './facts/network.ts';
import { readNvidiaSmi } from './facts/nvidia-smi.ts';
import type { DoctorOptions, DoctorSettings } from './options.ts';
import { probe } from './probe.ts';
import { type ProgramAnswer, runProgram } from './program.ts';

const PROCFS = '/proc';
const SYSFS = '/sys';
const DEVFS = '/dev';
/** 20 ticks give a median and a 95th percentile. */
const NVML_TICKS = 20;
const HINT_WAIT_MS = 2000;
/** The walk ends itself; who hangs beyond this waits for a disk. */
const WALK_GRACE_MS = 10_000;

/** The looks at everything, each of which says that it is waited for while it goes on. */
export const createLooks = (options: DoctorOptions) => {
  const { settings, environment, limits, platform, onWait } = options;
  const isLinux = platform === 'linux';
  const waitingFor = new Set<string>();
  const waiting = async <T>(name: string, work: Promise<T>): Promise<T> => {
    waitingFor.add(name);
    onWait([...waitingFor]);
    const result = await work;
    waitingFor.delete(name);
    onWait([...waitingFor]);
    return result;
  };
  const within = (limitMs: number) => ({ limitMs, environment });
  const run = (path: string, args: readonly string[], limitMs = limits.other): Promise<ProgramAnswer> =>
    runProgram(path, args, within(limitMs));

  return {
    software: async () => {
      const [setpriv, script] = await waiting(
        'util-linux',
        Promise.all([run('setpriv', ['--pdeathsig', 'KILL', 'true']), run('script', ['--version'])]),
      );
      return {
        node: options.nodeVersion,
        pinned: pinnedNodeIn(options),
        hasSetpriv: setpriv.kind === 'ended' && setpriv.code === 0,
        hasScript: script.kind === 'ended' && script.output.includes('util-linux'),
        platform,
      };
    },
    machine: async () => {
      if (!isLinux) return null;
      const isKubernetes = environment.KUBERNETES_SERVICE_HOST !== undefined;
      const places = { root: '/', procfs: PROCFS, sysfs: SYSFS, devfs: DEVFS, isKubernetes };
      return waiting('this machine', probe('machine', places, within(limits.other)));
    },
    processes: async () => {
      if (!isLinux || options.uid === null) return null;
      return waiting('processes', probe('processes', { procfs: PROCFS, uid: options.uid }, within(limits.other)));
    },
    database: () =>
      waiting('the database', probe('database', { path: settings.db, procfs: PROCFS }, within(limits.other))),
    hints: async () => {
      const folder = ownFolder(settings);
      if (folder === null) return null;
      return waiting('inotify', probe('hints', { folder, waitMs: HINT_WAIT_MS }, within(limits.other)));
    },
    network: () =>
      waiting('the port', readNetwork({ host: settings.host, port: settings.port, limitMs: limits.other })),
    folder: (path: string) =>
      waiting(
        path,
        probe('folder', { path, procfs: PROCFS, walkLimitMs: limits.walk }, within(limits.walk + WALK_GRACE_MS)),
      ),
    gpu: async (container: string | null): Promise<readonly Check[]> => {
      if (settings.gpu === 'off')
        return [
          check({ id: 'gpu', group: 'gpu', title: 'NVIDIA GPU' }, { status: 'ok', says: 'not watched (--gpu off)' }),
        ];
      if (!isLinux) return [];
      const places = { devfs: DEVFS, sysfs: SYSFS };
      const devices = await waiting('the GPU devices', probe('devices', places, within(limits.other)));
      const isAsked = settings.gpu !== 'nvidia-smi';
      const question = { library: settings.nvml, ticks: NVML_TICKS };
      const nvml = isAsked ? await waiting('the driver (NVML)', probe('nvml', question, within(limits.call))) : null;
      const program = settings.nvidiaSmi ?? 'nvidia-smi';
      const smi = await waiting(
        'nvidia-smi',
        readNvidiaSmi((args) => run(program, args, limits.program)),
      );
      const named = { library: settings.nvml, program: settings.nvidiaSmi };
      return judgeProbed(SUBJECTS.devices, devices, (value) =>
        judgeGpu({ devices: value, nvml, smi, named, container, intervalMs: settings.gpuInterval }),
      );
    },
  };
};

/** A folder of our own to try hints in: that of the database, else that for temporary files, never a watched one. */
const ownFolder = ({ db, watch }: DoctorSettings): string | null =>
  [dirname(db), tmpdir()].find(
    (folder) => existsSync(folder) && !watch.some((root) => !relative(resolve(root), folder).startsWith('..')),
  ) ?? null;

const pinnedNodeIn = ({ root, platform, arch }: DoctorOptions): string | null => {
  // Our own package.json.
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Readonly<Record<string, string>>;
  };
  return optionalDependencies[`node-${platform === 'win32' ? 'win' : platform}-${arch}`] ?? null;
};
