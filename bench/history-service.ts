import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Service, startService } from '../test/service.ts';
import { DAY_MS, HOUR_MS } from './history-data.ts';
import { fillStore, openBenchStore } from './history-database.ts';
import { BEFORE, DAY } from './history-questions.ts';

/** A started product with the data set. */
export type HistoryService = Service & {
  /** The longest pause of its event loop since this was asked before, ms. */
  readonly longestPause: () => Promise<number>;
};

/**
 * Starts the product in `folder` on a database with the day of all GPUs and the month of one series. The last hour is not sealed,
 * as it would not be beside a training: the service does that a minute later.
 */
export const startHistoryService = async (folder: string): Promise<HistoryService> => {
  const path = join(folder, 'bench.db');
  const store = openBenchStore(path);
  await fillStore(store, [BEFORE, ...DAY], { sealTo: BEFORE.to + DAY_MS - HOUR_MS, now: Date.now() });
  store.close();

  const socket = join(folder, 'loop.sock');
  const watch = fileURLToPath(new URL('loop-watch.ts', import.meta.url));
  const service = await startService(['--watch', join(folder, 'runs'), '--db', path, '--gpu', 'off'], {
    ...{ NODE_OPTIONS: `--import=${watch}`, LOOP_SOCKET: socket },
  });
  return {
    ...service,
    longestPause: async () => {
      const asking = connect(socket);
      await once(asking, 'connect');
      return Number(await text(asking));
    },
  };
};
