import { existsSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import type { HostDetail } from '../../core/host-detail.ts';
import type { Collector } from '../../core/ports.ts';
import { createCgroup } from './cgroup.ts';
import { createElsewhere, ELSEWHERE_EVERY_MS } from './elsewhere.ts';
import { readHostFacts } from './facts.ts';
import { createHostFiles } from './file.ts';
import { createMemory } from './memory.ts';
import { createProcessor } from './processor.ts';
import { type HostLook, numberOf } from './reading.ts';
import { createSpaces } from './space.ts';
import { createTemperatures } from './temperatures.ts';
import { createTraffic } from './traffic.ts';

export type HostOptions = {
  readonly procfs: string;
  /** null: beside a simulated /proc the sensors and limits of the real machine are not looked at. */
  readonly sysfs: string | null;
  readonly name: string;
  /** The watched folders and the database: the disk that has the least room of them is the one to look at. */
  readonly roots: readonly string[];
  readonly database: string;
  readonly intervalMs: number;
  readonly clock: Clock;
};

/**
 * How this host does, as one sample and part by part. Every metric that is null has its reason in `absent`.
 * Without a /proc it is systeminformation that is asked, every 5 s at most.
 */
export const createHostCollector = (options: HostOptions): Collector => {
  const { procfs, name, intervalMs, clock } = options;
  const subject = `host:${name}`;
  const hasProc = existsSync(`${procfs}/stat`);
  const host = hasProc ? createLinux(options) : createElsewhere(options);
  let factsKnown = false;

  return {
    name: 'host',
    when: { everyMs: hasProc ? intervalMs : Math.max(intervalMs, ELSEWHERE_EVERY_MS) },
    timeoutMs: 10_000,
    collect: async () => {
      const at = clock.now();
      const { readings, detail } = await host.look(at);
      const values: Record<string, number | null> = {};
      const absent: Record<string, string> = {};
      for (const [metric, reading] of Object.entries(readings)) {
        values[metric] = numberOf(reading);
        if (typeof reading === 'string') absent[metric] = reading;
      }
      const hostDetail: HostDetail = { at, host: name, ...detail, absent };
      const found = { samples: [{ subject, at, values }], hostDetail };
      if (factsKnown) return found;
      const facts = await readHostFacts(name);
      factsKnown = true;
      return { ...found, host: facts };
    },
    close: host.close,
  };
};

/** From about ten files of /proc and /sys that stay open: without a process, and without a thread but for `statfs`. */
const createLinux = (options: HostOptions) => {
  const open = createHostFiles();
  const processor = createProcessor(options.procfs, open);
  const memory = createMemory(options.procfs, open);
  const traffic = createTraffic(options.procfs, open);
  const space = createSpaces(options, open);
  const temperature = createTemperatures(options.sysfs, open);
  const cgroup = createCgroup(options, open);
  return {
    look: (at: number): HostLook => {
      const { cores, ...cpus } = processor.look();
      const { disks, networks, ...moved } = traffic.look(at);
      const { spaces, ...room } = space.look(at);
      const { temperatures, ...heat } = temperature.look(at);
      const { limits, ...limited } = cgroup.look(at);
      return {
        readings: {
          ...cpus.readings,
          ...memory.look().readings,
          ...moved.readings,
          ...room.readings,
          ...heat.readings,
          ...limited.readings,
        },
        detail: { cores, disks, spaces, networks, temperatures, limits },
      };
    },
    close: () => {
      for (const part of [processor, memory, traffic, space, temperature, cgroup]) part.close();
    },
  };
};
