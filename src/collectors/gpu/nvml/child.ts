// The process that talks to the driver: started by collector.ts, which can kill it while a call hangs.
import { PCIE_WINDOW_MS } from './fields.ts';
import { openNvml } from './library.ts';
import { createPace } from './pace.ts';
import { end, live, remark, say, sayItRuns } from './parent.ts';
import { type ChildMessage, type ChildSettings, EXIT } from './protocol.ts';
import { createSampler } from './sampler.ts';

const bell = new Int32Array(new SharedArrayBuffer(4));
/**
 * Without the event loop, whose waking costs as much as asking three GPUs: nothing else ever happens in this process.
 * Signals still end it.
 */
const sleepUntil = (at: number): void => {
  Atomics.wait(bell, 0, 0, Math.max(0, at - performance.now()));
};

// collector.ts writes it from the same type.
const settings = JSON.parse(process.argv[2] ?? '') as ChildSettings;
const tell = (message: ChildMessage): void => say(message);

await live(settings.parent, async () => {
  const nvml = await openNvml(settings.library);
  const sampler = createSampler({ nvml, intervalMs: settings.intervalMs, known: settings.known, say: tell, remark });
  const pace = createPace(settings.intervalMs, remark);
  sayItRuns();
  if (!sampler.open()) end(EXIT.noGpu, 'the NVIDIA driver finds no GPU');

  let periodMs = settings.intervalMs;
  let dueAt = performance.now() + PCIE_WINDOW_MS;
  for (;;) {
    if (sampler.needsMark(periodMs)) {
      sleepUntil(dueAt - PCIE_WINDOW_MS);
      sampler.mark();
    }
    sleepUntil(dueAt);
    periodMs = pace.after(sampler.tick());
    dueAt = Math.max(dueAt + periodMs, performance.now() + PCIE_WINDOW_MS);
  }
});
