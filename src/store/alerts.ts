import type { Database } from 'better-sqlite3';
import type { Alert } from '../core/alert.ts';
import type { Store } from '../core/ports.ts';
import { keyAfter, toPage } from './pages.ts';

/** The table of alerts. */
export type Alerts = Pick<Store, 'listAlerts' | 'getAlert' | 'saveAlerts' | 'openAlerts'>;

export const createAlerts = (db: Database): Alerts => {
  const byId = db.prepare<[string], Row>('SELECT id, started_at, body FROM alerts WHERE id = ?');
  const open = db.prepare<[], Row>(
    `SELECT id, started_at, body FROM alerts WHERE state <> 'resolved' ORDER BY started_at, id`,
  );
  const page = db.prepare<[PageParameters], Row>(`
    SELECT id, started_at, body FROM alerts
    WHERE (started_at, id) < (@at, @id)
      AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
      AND (@rule IS NULL OR rule = @rule) AND (@run IS NULL OR run = @run)
      AND (@severity IS NULL OR severity = @severity)
      AND (@from IS NULL OR started_at >= @from) AND (@to IS NULL OR started_at < @to)
    ORDER BY started_at DESC, id DESC LIMIT @limit`);
  const save = db.prepare<[Row & { rule: string; severity: string; state: string; run: string | null }]>(`
    INSERT OR REPLACE INTO alerts (id, rule, severity, state, run, started_at, body)
    VALUES (@id, @rule, @severity, @state, @run, @started_at, @body)`);

  return {
    getAlert: (id) => {
      const row = byId.get(id);
      return row && alertOf(row);
    },
    openAlerts: () => open.all().map(alertOf),
    saveAlerts: (alerts) => {
      for (const alert of alerts) {
        const { id, rule, severity, state, run, startedAt } = alert;
        save.run({ id, rule, severity, state, run, started_at: startedAt, body: JSON.stringify(alert) });
      }
    },
    listAlerts: ({ limit, cursor, states, rule, run, severity, from, to }) => {
      const [at, id] = keyAfter<readonly [number, string]>('alerts', cursor, [Number.MAX_SAFE_INTEGER, '']);
      const rows = page.all({
        at,
        id,
        states: states === undefined ? null : JSON.stringify(states),
        rule: rule ?? null,
        run: run ?? null,
        severity: severity ?? null,
        from: from ?? null,
        to: to ?? null,
        limit: limit + 1,
      });
      return toPage('alerts', rows, limit, { keyOf: (row) => [row.started_at, row.id], itemOf: alertOf });
    },
  };
};

type Row = { id: string; started_at: number; body: string };

type PageParameters = {
  at: number;
  id: string;
  states: string | null;
  rule: string | null;
  run: string | null;
  severity: string | null;
  from: number | null;
  to: number | null;
  limit: number;
};

const alertOf = (row: Row): Alert => JSON.parse(row.body);
