// Loaded into a started product before its own code (NODE_OPTIONS=--import): tells whoever connects to LOOP_SOCKET the
// longest pause of the event loop since it was asked before, in ms, and nothing else. Its timer runs every ms, so that
// a loop that nothing holds up pauses for about 1 ms.
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const socket = process.env.LOOP_SOCKET;
if (isMainThread && socket !== undefined) {
  const pauses = monitorEventLoopDelay({ resolution: 1 });
  pauses.enable();
  const server = createServer((asked) => {
    asked.end(String(pauses.max / 1e6));
    pauses.reset();
  });
  server.listen(socket).unref();
}
