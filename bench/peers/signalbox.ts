import { statSync } from 'node:fs';
import { join } from 'node:path';
import { sizesIn } from '../database-sizes.ts';
import { fillStore, openBenchStore } from '../history-database.ts';
import { DAY } from '../history-questions.ts';
import { startHistoryService } from '../history-service.ts';
import { readHistories, signalboxUrls } from '../signalbox-questions.ts';
import type { Peer } from './peer.ts';

/** The built product. Its size is the database file of the sealed day, with its rollups, made by itself. */
export const startSignalbox = async (folder: string): Promise<Peer> => {
  const path = join(folder, 'day.db');
  const store = openBenchStore(path);
  const to = Math.max(...DAY.map((stretch) => stretch.to));
  await fillStore(store, DAY, { sealTo: to, now: Date.now() });
  store.close();
  const bytes = statSync(path).size;
  const freeBytes = sizesIn(path).free;
  const service = await startHistoryService(folder);
  return {
    ...{ name: 'Signalbox', bytes, freeBytes, read: readHistories },
    urls: (question) => signalboxUrls(service.url, question),
    stop: async () => {
      await service.stop();
    },
  };
};
