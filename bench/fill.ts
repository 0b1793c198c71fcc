// `node bench/fill.ts FILE DAYS`: a database with so many days of the data set up to now, all GPUs, sealed by the store
// itself, to be looked at: `signalbox serve --db FILE`. 30 days take some minutes.
import { existsSync } from 'node:fs';
import { DAY_MS, GPUS, HOUR_MS, METRICS } from './history-data.ts';
import { fillStore, openBenchStore } from './history-database.ts';

const [file, days] = process.argv.slice(2);
if (file === undefined || !(Number(days) > 0) || existsSync(file)) {
  console.error('bench/fill: give a file that is not there yet, and a number of days: node bench/fill.ts FILE DAYS');
  process.exit(2);
}
const now = Date.now();
const to = HOUR_MS * Math.floor(now / HOUR_MS);
const from = to - DAY_MS * Math.ceil(Number(days));
const store = openBenchStore(file);
const stretches = Array.from({ length: GPUS }, (_, gpu) => ({ gpu, from, to, metrics: METRICS }));
await fillStore(store, stretches, { sealTo: to - HOUR_MS, now });
store.close();
