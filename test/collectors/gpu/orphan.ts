// A service that is about to be killed: starts nvidia-smi, reports what it has to say first, and goes on.
import { createNvidiaSmiCollector } from '../../../src/collectors/gpu/nvidia-smi.ts';
import { createGpuProcessesCollector } from '../../../src/collectors/gpu/processes.ts';
import { systemClock as clock } from '../../../src/core/clock.ts';
import { createLog, FIELDS, lookUntil } from './stage.ts';

const [, , which, program = '', ...words] = process.argv;
const { log } = createLog();
const collector =
  which === 'samples'
    ? createNvidiaSmiCollector({ path: program, fields: FIELDS, intervalMs: 100, clock, log })
    : createGpuProcessesCollector({
        launcher: [program, ...words],
        periodMs: 200,
        sources: { procfs: '/proc', passwd: '/etc/passwd' },
        driverAnswers: () => true,
        clock,
        log,
      });
await lookUntil(collector, ({ samples = [], processes }) => samples.length > 0 || processes?.length === 0);
process.send?.('watching');
setInterval(() => collector.collect(AbortSignal.timeout(1000)), 100);
