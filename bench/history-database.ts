import { fileURLToPath } from 'node:url';
import type { Store } from '../src/core/ports.ts';
import type { Sample } from '../src/core/sample.ts';
import type { Columns } from '../src/store/chunks/columns.ts';
import { openStore } from '../src/store/open.ts';
import { HOUR_MS, hoursOf, type Stretch, TICK_MS } from './history-data.ts';

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));
/** More than the product takes at once: nobody waits for these. */
const TICKS_AT_ONCE = 60;

export const openBenchStore = (path: string): Store => openStore({ path, migrations });

/**
 * Takes the data set into a store, hour after hour, and lets it seal what ends at `sealTo` at the latest: by its own
 * housekeeping, at the moment `now`, which comes after all of it.
 */
export const fillStore = async (
  store: Store,
  stretches: readonly Stretch[],
  { sealTo, now }: { readonly sealTo: number; readonly now: number },
): Promise<void> => {
  enterGpus(store, stretches, now);
  const sources = stretches.map((stretch) => ({ ...stretch, hours: hoursOf(stretch) }));
  const end = Math.max(...stretches.map(({ to }) => to));
  for (let hourAt = Math.min(...stretches.map(({ from }) => from)); hourAt < end; hourAt += HOUR_MS) {
    const samples = sources.flatMap(({ gpu, from, hours }) => {
      const hour = from <= hourAt ? hours.next() : null;
      return hour === null || hour.done === true ? [] : [samplesOf(gpu, hour.value)];
    });
    for (let tick = 0; tick < HOUR_MS / TICK_MS; tick += TICKS_AT_ONCE) {
      const together = samples.flatMap((ofGpu) => ofGpu.slice(tick, tick + TICKS_AT_ONCE));
      store.transaction(() => store.appendSamples(together));
    }
    if (hourAt + HOUR_MS <= sealTo) await maintainFully(store, now);
  }
};

/** The rows of some columns, as a collector says them. */
export const samplesOf = (gpu: number, { at, columns }: Columns): readonly Sample[] =>
  Array.from(at, (moment, tick) => ({
    subject: `gpu:${uuidOf(gpu)}`,
    at: moment,
    values: Object.fromEntries(Array.from(columns, ([name, values]) => [name, values[tick] ?? null])),
  }));

/** All the housekeeping that is due, which a service spreads over its seconds. */
const maintainFully = async (store: Store, now: number): Promise<void> => {
  for (let isMore = true; isMore; ) {
    isMore = store.maintain(now);
    await store.settled();
  }
};

const enterGpus = (store: Store, stretches: readonly Stretch[], now: number): void => {
  const gpus = [...new Set(stretches.map(({ gpu }) => gpu))];
  store.saveGpus(
    gpus.map((gpu) => ({
      ...{ uuid: uuidOf(gpu), index: gpu, name: 'NVIDIA A100-SXM4-80GB', driver: '550.163.01' },
      ...{ memoryTotal: 80 * 2 ** 30, powerLimit: 400 },
    })),
    now,
  );
};

const uuidOf = (gpu: number): string => `GPU-00000000-0000-4000-8000-00000000000${gpu}`;
