import type { Database } from 'better-sqlite3';
import type { MigPlace, ObservedGpuNotes } from '../core/batch.ts';
import type { GpuUse, Store } from '../core/ports.ts';
import { gpuSampleOf, gpuSubject, type Sample } from '../core/sample.ts';
import { finite } from './finite.ts';

/** The table of GPUs; who uses them, and what is amiss with them, is kept beside it in memory. */
export type Gpus = Pick<Store, 'saveGpus' | 'setGpuUse' | 'setGpuNotes' | 'listGpus'>;

/** `latest`: the newest sample of a subject, written or not. */
export const createGpus = (db: Database, latest: (subject: string) => Sample | null): Gpus => {
  const uses = new Map<string, GpuUse>();
  const notes = new Map<string, ObservedGpuNotes>();
  const all = db.prepare<[], Row>("SELECT * FROM gpus WHERE position IS NOT NULL ORDER BY position, mig ->> 'index'");
  // A place is that of one whole GPU, or of one MIG instance of it.
  const vacate = db.prepare<[Row]>(`
    UPDATE gpus SET position = NULL
    WHERE position = @position AND uuid <> @uuid AND mig ->> 'index' IS @mig ->> 'index'`);
  // Being seen again is written once a minute: a look that finds nothing new costs no page.
  const save = db.prepare<[Row]>(`
    INSERT INTO gpus (uuid, position, name, driver, memory_total, power_limit, pci_bus_id, mig, last_seen_at)
    VALUES (@uuid, @position, @name, @driver, @memory_total, @power_limit, @pci_bus_id, @mig, @last_seen_at)
    ON CONFLICT DO UPDATE SET position = @position, name = @name, driver = @driver, memory_total = @memory_total,
      power_limit = @power_limit, pci_bus_id = @pci_bus_id, mig = @mig, last_seen_at = @last_seen_at
    WHERE (position, name, driver, memory_total, power_limit, pci_bus_id, mig)
        IS NOT (@position, @name, @driver, @memory_total, @power_limit, @pci_bus_id, @mig)
      OR last_seen_at < @last_seen_at - 60000`);

  return {
    saveGpus: (gpus, now) => {
      for (const { uuid, index, name, driver, memoryTotal, powerLimit, pciBusId, mig } of gpus) {
        const row = {
          uuid,
          position: index,
          name,
          driver,
          memory_total: finite(memoryTotal),
          power_limit: finite(powerLimit),
          pci_bus_id: pciBusId ?? null,
          mig: mig ? JSON.stringify(mig) : null,
          last_seen_at: now,
        };
        vacate.run(row);
        save.run(row);
      }
    },
    setGpuUse: (uuid, use) => {
      uses.set(uuid, use);
    },
    setGpuNotes: (noted) => {
      notes.set(noted.uuid, noted);
    },
    listGpus: () =>
      all.all().map((row) => {
        const { uuid, position, name, driver, memory_total, power_limit, last_seen_at } = row;
        // Written by saveGpus.
        const mig: MigPlace | null = row.mig === null ? null : JSON.parse(row.mig);
        const gpu = gpuSubject({ index: position, mig });
        const { run, ...use } = uses.get(uuid) ?? UNKNOWN_USE;
        const sample = latest(`gpu:${uuid}`);
        return {
          gpu,
          index: position,
          uuid,
          mig,
          name,
          driver,
          memoryTotal: memory_total,
          powerLimit: power_limit,
          lastSeenAt: Math.max(last_seen_at, sample?.at ?? 0),
          run,
          latest: sample && gpuSampleOf(sample, gpu, uuid, run),
          trouble: notes.get(uuid)?.trouble ?? null,
          absent: { ...notes.get(uuid)?.absent },
          processes: use.processes && [...use.processes],
          processesUnknown: use.processesUnknown,
        };
      }),
  };
};

const UNKNOWN_USE: GpuUse = { run: null, processes: null, processesUnknown: null };

type Row = {
  uuid: string;
  position: number;
  name: string | null;
  driver: string | null;
  memory_total: number | null;
  power_limit: number | null;
  pci_bus_id: string | null;
  mig: string | null;
  last_seen_at: number;
};
