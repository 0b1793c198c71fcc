// One look by one probe: started by probe.ts, which can kill it while the look hangs.
import type { ProbeMessage } from './probe.ts';
import { PROBES, type Probes } from './probes.ts';

const send = (message: ProbeMessage): void => {
  process.send?.(message);
};

// Ctrl+C in a terminal reaches us too; probe.ts sees to our end, by hanging up when it has heard enough.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
// probe.ts sends it, by its own types.
process.once('message', async ({ name, input }: { name: keyof Probes; input: never }) => {
  try {
    const answer = await PROBES[name](input, (doing) => send({ doing }));
    send({ answer });
  } catch (error) {
    send({ failure: error instanceof Error ? error.message : String(error) });
  }
});
