import type { Alert } from '../../src/core/alert.ts';
import type { History } from '../../src/core/history.ts';
import type { Attempt, EpochRow, Run } from '../../src/core/run.ts';
import type { Gpu, Host } from '../../src/core/sample.ts';
import type { Page } from '../../src/core/schema.ts';
import type { Readiness, ServiceFacts } from '../../src/core/service.ts';

/** The service answered with an error, or could not be reached (`status` 0). */
export class RequestFailed extends Error {
  override name = 'RequestFailed';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type HistoryRequest = {
  readonly metrics: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly points: number;
};

/** What the alerts page asks for; empty means any. */
export type AlertQuery = Readonly<Partial<Record<'state' | 'severity' | 'rule' | 'run' | 'cursor', string>>>;

/** The REST routes that the dashboard reads, typed as the contract says. Every call throws {@link RequestFailed}. */
export type Api = {
  readonly service: () => Promise<ServiceFacts>;
  /** How the service itself is doing, also where it says that it is not ready. */
  readonly readiness: () => Promise<Readiness>;
  readonly runs: (cursor?: string) => Promise<Page<Run>>;
  readonly run: (id: string) => Promise<Run>;
  /** All of them, page by page. */
  readonly epochs: (run: string) => Promise<readonly EpochRow[]>;
  readonly attempts: (run: string) => Promise<Page<Attempt>>;
  readonly gpus: () => Promise<Page<Gpu>>;
  readonly hosts: () => Promise<Page<Host>>;
  /** `subject` is `gpu:0` or `host:NAME`; with the signal the service stops reading too. */
  readonly history: (subject: string, request: HistoryRequest, signal: AbortSignal) => Promise<History>;
  readonly alerts: (query: AlertQuery) => Promise<Page<Alert>>;
};

export type ApiDependencies = {
  /** Address of `/api/v1/`, with the closing slash. */
  readonly root: URL;
  readonly token: () => string | null;
  /** Called when the service wants a token, or another one. */
  readonly onUnauthorized: () => void;
};

/** The status of `/readyz` when the service cannot do its work; the answer is the same. */
const NOT_READY = 503;

export const createApi = ({ root, token, onUnauthorized }: ApiDependencies): Api => {
  // What the service answers is believed: it is our own, and its answers are checked against the same schemas there.
  const get = async <T>(
    path: string,
    query: Readonly<Record<string, string | number | undefined>> = {},
    signal?: AbortSignal,
  ): Promise<T> => {
    const url = new URL(path, root);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
    }
    const secret = token();
    const response = await fetch(url, {
      headers: { accept: 'application/json', ...(secret ? { authorization: `Bearer ${secret}` } : {}) },
      ...(signal ? { signal } : {}),
    }).catch((error: unknown) => {
      throw new RequestFailed(0, String(error));
    });
    if (response.status === 401) onUnauthorized();
    const isProblem = response.headers.get('content-type')?.startsWith('application/json') !== true;
    if (!response.ok && (response.status !== NOT_READY || isProblem)) {
      throw new RequestFailed(response.status, await problemOf(response));
    }
    return (await response.json()) as T;
  };

  return {
    service: () => get('service'),
    readiness: () => get('../../readyz'),
    runs: (cursor) => get('runs', { cursor, limit: 200 }),
    run: (id) => get(`runs/${encodeURIComponent(id)}`),
    epochs: async (run) => {
      const rows: EpochRow[] = [];
      let cursor: string | undefined;
      do {
        const page: Page<EpochRow> = await get(`runs/${encodeURIComponent(run)}/epochs`, { limit: 10_000, cursor });
        rows.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return rows;
    },
    attempts: (run) => get(`runs/${encodeURIComponent(run)}/attempts`),
    gpus: () => get('gpus'),
    hosts: () => get('hosts'),
    history: (subject, { metrics, ...range }, signal) => {
      const [kind = '', ...name] = subject.split(':');
      const path = `${kind}s/${encodeURIComponent(name.join(':'))}/history`;
      return get(path, { ...range, metrics: metrics.join(',') }, signal);
    },
    alerts: (query) => get('alerts', { ...query, limit: 200 }),
  };
};

/** The detail of an RFC 9457 problem, or the status line of whatever else answered. */
const problemOf = async (response: Response): Promise<string> => {
  if (response.headers.get('content-type')?.startsWith('application/problem+json')) {
    // RFC 9457: both members are optional strings.
    const problem = (await response.json()) as { readonly title?: string; readonly detail?: string };
    return problem.detail ?? problem.title ?? String(response.status);
  }
  return `${response.status} ${response.statusText}`.trim();
};
