import { setImmediate as breathe } from 'node:timers/promises';
import type { ObservedProcessTree } from '../../core/batch.ts';
import type { Clock } from '../../core/clock.ts';
import type { Collector } from '../../core/ports.ts';
import type { RunProcess } from '../../core/run-process.ts';
import { findDescendants } from './descendants.ts';
import { createProber, type Probe } from './probe.ts';
import { rolesOf } from './roles.ts';
import { type MeasuredProcess, valuesOf } from './run-values.ts';

export type ProcessTreesOptions = {
  readonly procfs: string;
  /** The active runs with the pids that are known to do their work and to live, as /proc names them. */
  readonly runs: () => readonly { readonly run: string; readonly pids: readonly number[] }[];
  readonly intervalMs: number;
  readonly clock: Clock;
};

/** Processes come and go seldom: who belongs to a run is found out so often, and at most in this share of the time. */
const FIND_EVERY_MS = 5000;
const FIND_SHARE = 0.01;
const AT_ONCE = 256;

/**
 * The processes of each run, from those that are known down to all their children, with what each of them uses, and their
 * sums as samples of `run:ID`. A pid that two runs claim is neither's, and no run gets what is below another one's.
 */
export const createProcessTrees = ({ procfs, runs, intervalMs, clock }: ProcessTreesOptions): Collector => {
  const prober = createProber(procfs);
  let below: Awaited<ReturnType<typeof findDescendants>> = new Map();
  let foundFor = '';
  let findAt = 0;
  let hasSaid = false;

  const find = async (roots: readonly number[]): Promise<void> => {
    const wanted = roots.join();
    if (wanted === foundFor && clock.now() < findAt) return;
    const startedAt = performance.now();
    below = await findDescendants(procfs, roots);
    foundFor = wanted;
    findAt = clock.now() + Math.max(FIND_EVERY_MS, (performance.now() - startedAt) / FIND_SHARE);
  };

  /** Parents come first, so that who has lost its parent since they were found is left out with all below it. */
  const probeAll = async (pids: readonly number[], roots: ReadonlySet<number>): Promise<readonly Probe[]> => {
    const probes = new Map<number, Probe>();
    for (const [i, pid] of pids.entries()) {
      if (i % AT_ONCE === AT_ONCE - 1) await breathe();
      const probe = prober.probe(pid, clock.now());
      if (probe !== null && (roots.has(pid) || probes.has(probe.parent))) probes.set(pid, probe);
    }
    return [...probes.values()];
  };

  return {
    name: 'process-trees',
    when: { everyMs: intervalMs },
    timeoutMs: 10_000,
    collect: async () => {
      const asked = runs();
      const claimed = asked.flatMap(({ pids }) => [...new Set(pids)]);
      if (claimed.length === 0 && !hasSaid) return {};
      await find([...new Set(claimed)].sort((a, b) => a - b));
      const trees: ObservedProcessTree[] = [];
      const samples = [];
      for (const { run, pids } of asked) {
        const roots = pids.filter((pid) => claimed.indexOf(pid) === claimed.lastIndexOf(pid));
        const found = roots.map((root) => below.get(root) ?? null);
        if (found.includes(null)) continue;
        const probes = await probeAll(
          found.flatMap((pids) => pids ?? []),
          new Set(roots),
        );
        if (probes.length === 0) continue;
        const processes = measure(probes, new Set(roots));
        const at = clock.now();
        samples.push({ subject: `run:${run}`, at, values: valuesOf(processes, at) });
        const training = probes[processes.findIndex(({ role }) => role === 'training')];
        trees.push({ run, processes: processes.map(shown), environment: training?.environment ?? null });
      }
      prober.endRound();
      hasSaid = trees.length > 0;
      return { processTrees: trees, samples };
    },
  };
};

const measure = (probes: readonly Probe[], roots: ReadonlySet<number>): readonly MeasuredProcess[] => {
  const roles = rolesOf(probes.map((probe) => ({ ...probe, isKnown: roots.has(probe.pid) })));
  return probes.map((probe) => {
    const role = roles.get(probe.pid) ?? 'helper';
    return {
      pid: probe.pid,
      parent: probe.parent === 0 ? null : probe.parent,
      role,
      command: probe.command,
      state: probe.state,
      startedAt: probe.startedAt,
      cpu: probe.cpu,
      memory: memoryOf(probe, role),
      diskRead: probe.diskRead,
      diskWrite: probe.diskWrite,
      isNew: probe.isNew,
      workedAt: probe.workedAt,
    };
  });
};

/** A worker is a copy of its training, with which it shares its libraries and the batches in shared memory. */
const memoryOf = ({ memory }: Probe, role: RunProcess['role']): number | null => {
  if (memory === null) return null;
  return role === 'worker' ? Math.max(0, memory.resident - memory.shared) : memory.resident;
};

const shown = ({ isNew: _, workedAt: __, ...process }: MeasuredProcess): RunProcess => process;
