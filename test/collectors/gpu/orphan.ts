// A service that is about to be killed: starts the child that watches the GPUs, reports what it has to say first, and goes on.
import { createNvidiaSmiCollector } from '../../../src/collectors/gpu/nvidia-smi.ts';
import { createNvmlCollector } from '../../../src/collectors/gpu/nvml/collector.ts';
import { createGpuProcessesCollector } from '../../../src/collectors/gpu/processes.ts';
import { systemClock as clock } from '../../../src/core/clock.ts';
import type { Collector } from '../../../src/core/ports.ts';
import { createLog, FIELDS, lookUntil } from './stage.ts';

const [, , which, program = '', ...words] = process.argv;
const { log } = createLog();
const common = { sources: { procfs: '/proc', passwd: '/etc/passwd' }, pidsAreForeign: null, clock, log };

const create = (): Collector => {
  switch (which) {
    case 'nvml':
      return createNvmlCollector({ library: program, intervalMs: 100, environment: process.env, ...common });
    case 'samples':
      return createNvidiaSmiCollector({ path: program, fields: FIELDS, intervalMs: 100, clock, log });
    default:
      return createGpuProcessesCollector({
        launcher: [program, ...words],
        periodMs: 200,
        driverAnswers: () => true,
        ...common,
      });
  }
};

const collector = create();
await lookUntil(collector, ({ samples = [], processes }) => samples.length > 0 || processes?.length === 0);
process.send?.('watching');
setInterval(() => collector.collect(AbortSignal.timeout(1000)), 100);
