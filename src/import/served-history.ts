import type { TSchema } from 'typebox';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { GpuLogTakenSchema } from '../core/gpu-log.ts';
import { RunSchema } from '../core/run.ts';
import { pageOf, type Static } from '../core/schema.ts';
import type { History } from './history.ts';

const RunsSchema = pageOf(RunSchema);
const ProblemSchema = Type.Object({ detail: Type.String() });
const MOST_RUNS = 10_000;

/** The running service did not do what was asked of it; the message says what it answered. */
export class ServiceRefusal extends Error {
  override name = 'ServiceRefusal';
}

/** The history of the service at `url`. Its calls throw {@link ServiceRefusal}. */
export const createServedHistory = ({
  url,
  token,
}: {
  readonly url: string;
  readonly token: string | null;
}): History => {
  const ask = async <T extends TSchema>(path: string, schema: T, body?: string): Promise<Static<T>> => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/x-ndjson' }),
      },
      body: body ?? null,
    }).catch((cause: unknown) => {
      throw new ServiceRefusal(`the service at ${url} cannot be reached`, { cause });
    });
    const value: unknown = await answer.json();
    if (answer.ok && Value.Check(schema, value)) return value;
    const detail = Value.Check(ProblemSchema, value) ? value.detail : 'not what was expected';
    throw new ServiceRefusal(`the service at ${url} answered ${answer.status}: ${detail}`);
  };

  return {
    runsLike: async (id, text) => {
      const byText = await ask(`/runs?limit=${MOST_RUNS}&q=${encodeURIComponent(text)}`, RunsSchema);
      if (byText.items.some((run) => run.id === id) || !/^r_\w+$/.test(id)) return byText.items;
      return [await ask(`/runs/${id}`, RunSchema), ...byText.items];
    },
    take: (run, rows) =>
      ask(`/runs/${run}/gpu-log`, GpuLogTakenSchema, rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    close: async () => {},
  };
};
