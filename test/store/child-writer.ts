// Run as `node child-writer.ts FILE`: opens the store, says "open", and then writes until it is killed. In every
// transaction it stores one epoch with its event, and it says the epoch on stdout once that is committed.
import { writeSync } from 'node:fs';
import { observed, rows } from './observed.ts';
import { open, T0 } from './open-store.ts';

const store = open(process.argv[2]);
writeSync(1, 'open\n');
for (let epoch = 1; ; epoch++) {
  store.transaction(() => {
    const { id, rows: news } = store.observeRun(observed({ rows: rows(epoch, epoch) }), 'trainer', T0);
    store.addEvents(news.map((row) => ({ topic: 'epochs', run: id, at: T0, data: { ...row, run: id } })));
    store.appendSamples([{ subject: 'gpu:GPU-a', at: T0 + epoch * 1000, values: { power: epoch } }]);
  });
  writeSync(1, `${epoch}\n`);
}
