// The process that waits for the driver's events: started by xid-events.ts, which can kill it while a call hangs.
import { codeOf, DriverGone } from './device.ts';
import { openEventSet } from './event-set.ts';
import { openNvml } from './library.ts';
import { end, live, say, sayItRuns } from './parent.ts';
import { type EventsMessage, type EventsSettings, EXIT, WAIT_MS } from './protocol.ts';
import { CODE } from './return-codes.ts';

/** A GPU that could not be asked for its events may be back: only a library that is initialised anew finds it. */
const REOPEN_AFTER_MS = 60_000;

// xid-events.ts writes it from the same type.
const settings = JSON.parse(process.argv[2] ?? '') as EventsSettings;
const tell = (message: EventsMessage): void => say(message);

await live(settings.parent, async () => {
  const nvml = await openNvml(settings.library);
  sayItRuns();
  for (;;) {
    const code = codeOf(nvml.nvmlInit_v2?.());
    if (code !== CODE.success) throw new DriverGone(code);
    const events = openEventSet(nvml);
    if (events.gpus === 0 && events.isWhole) end(EXIT.unavailable, 'NVML tells no XIDs of these GPUs');
    if (events.gpus === 0) end(EXIT.failing, 'no GPU can be asked for its XIDs now');
    tell({ waits: true });
    const openedAt = performance.now();
    while (events.isWhole || performance.now() - openedAt < REOPEN_AFTER_MS) {
      const xid = events.wait(WAIT_MS);
      tell(xid ?? { waits: true });
    }
    events.close();
    nvml.nvmlShutdown?.();
  }
});
