import type { Database } from 'better-sqlite3';
import type { HostDetail } from '../core/host-detail.ts';
import type { Store } from '../core/ports.ts';
import { hostSampleOf, type Sample } from '../core/sample.ts';

/** The table of hosts; what they do now is kept beside it in memory. */
export type Hosts = Pick<Store, 'saveHost' | 'setHostDetail' | 'listHosts'>;

/** `latest`: the newest sample of a subject, written or not. */
export const createHosts = (db: Database, latest: (subject: string) => Sample | null): Hosts => {
  const details = new Map<string, HostDetail>();
  const all = db.prepare<[], Row>('SELECT * FROM hosts ORDER BY name');
  const save = db.prepare<[Row]>(`
    INSERT OR REPLACE INTO hosts (name, os, cpu_model, cpu_cores, memory_total, last_seen_at)
    VALUES (@name, @os, @cpu_model, @cpu_cores, @memory_total, @last_seen_at)`);

  return {
    saveHost: ({ name, os, cpuModel, cpuCores, memoryTotal }, now) => {
      save.run({ name, os, cpu_model: cpuModel, cpu_cores: cpuCores, memory_total: memoryTotal, last_seen_at: now });
    },
    setHostDetail: (detail) => {
      details.set(detail.host, detail);
    },
    listHosts: () =>
      all.all().map(({ name, os, cpu_model, cpu_cores, memory_total, last_seen_at }) => {
        const host = `host:${name}`;
        const sample = latest(host);
        return {
          host,
          name,
          os,
          cpuModel: cpu_model,
          cpuCores: cpu_cores,
          memoryTotal: memory_total,
          lastSeenAt: Math.max(last_seen_at, sample?.at ?? 0),
          latest: sample && hostSampleOf(sample),
          detail: details.get(name) ?? null,
        };
      }),
  };
};

type Row = {
  name: string;
  os: string | null;
  cpu_model: string | null;
  cpu_cores: number | null;
  memory_total: number | null;
  last_seen_at: number;
};
