import type { Database } from 'better-sqlite3';
import type { GpuUse, Store } from '../core/ports.ts';
import { gpuSampleOf, type Sample } from '../core/sample.ts';
import { finite } from './finite.ts';

/** The table of GPUs; who uses them is kept beside it in memory. */
export type Gpus = Pick<Store, 'saveGpus' | 'setGpuUse' | 'listGpus'>;

/** `latest`: the newest sample of a subject, written or not. */
export const createGpus = (db: Database, latest: (subject: string) => Sample | null): Gpus => {
  const uses = new Map<string, GpuUse>();
  const all = db.prepare<[], Row>('SELECT * FROM gpus WHERE position IS NOT NULL ORDER BY position');
  const vacate = db.prepare<[Row]>('UPDATE gpus SET position = NULL WHERE position = @position AND uuid <> @uuid');
  // Being seen again is written once a minute: a look that finds nothing new costs no page.
  const save = db.prepare<[Row]>(`
    INSERT INTO gpus (uuid, position, name, driver, memory_total, power_limit, last_seen_at)
    VALUES (@uuid, @position, @name, @driver, @memory_total, @power_limit, @last_seen_at)
    ON CONFLICT DO UPDATE SET position = @position, name = @name, driver = @driver, memory_total = @memory_total,
      power_limit = @power_limit, last_seen_at = @last_seen_at
    WHERE (position, name, driver, memory_total, power_limit)
        IS NOT (@position, @name, @driver, @memory_total, @power_limit)
      OR last_seen_at < @last_seen_at - 60000`);

  return {
    saveGpus: (gpus, now) => {
      for (const { uuid, index, name, driver, memoryTotal, powerLimit } of gpus) {
        const row = {
          uuid,
          position: index,
          name,
          driver,
          memory_total: finite(memoryTotal),
          power_limit: finite(powerLimit),
          last_seen_at: now,
        };
        vacate.run(row);
        save.run(row);
      }
    },
    setGpuUse: (uuid, use) => {
      uses.set(uuid, use);
    },
    listGpus: () =>
      all.all().map(({ uuid, position, name, driver, memory_total, power_limit, last_seen_at }) => {
        const gpu = `gpu:${position}`;
        const { run, processes } = uses.get(uuid) ?? UNKNOWN_USE;
        const sample = latest(`gpu:${uuid}`);
        return {
          gpu,
          index: position,
          uuid,
          name,
          driver,
          memoryTotal: memory_total,
          powerLimit: power_limit,
          lastSeenAt: Math.max(last_seen_at, sample?.at ?? 0),
          run,
          latest: sample && gpuSampleOf(sample, gpu, uuid, run),
          processes: processes && [...processes],
        };
      }),
  };
};

const UNKNOWN_USE: GpuUse = { run: null, processes: null };

type Row = {
  uuid: string;
  position: number;
  name: string | null;
  driver: string | null;
  memory_total: number | null;
  power_limit: number | null;
  last_seen_at: number;
};
