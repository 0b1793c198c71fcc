import { createHash } from 'node:crypto';
import type { Batch } from './core/batch.ts';
import type { Run } from './core/run.ts';
import type { RunEvent } from './core/trace.ts';
import { saidArgs } from './said-rows.ts';

/** Runs that are told of by POST /ingest have no folder here: their path begins with this. */
const PLACE = 'ingest/';

/** Where a run is kept that is told of by name. */
export const ingestedPath = (name: string): string => PLACE + name;

/** Whether a run is told of by POST /ingest: no look at a folder will find it. */
export const isIngested = ({ path }: { readonly path: string }): boolean => path.startsWith(PLACE);

/** What a trainer that shares no disk sent of itself, as a look at its run. `known`: the run as it was until now;
 * `from`: what no event of the run has reached yet. */
export const ingestedBatch = (
  name: string,
  events: readonly RunEvent[],
  { known, from, now }: { readonly known: Run | null; readonly from: number; readonly now: number },
): Batch => {
  const path = ingestedPath(name);
  const args = saidArgs(events);
  const hasBegun = args !== null || known === null;
  return {
    runs: [
      {
        path,
        folder: { device: -1, inode: numberOf(name), bornAt: null },
        args: args === null ? (known?.args ?? null) : { ...known?.args, ...args },
        argsAt: hasBegun ? (events[0]?.t ?? now) : known.startedAt,
        results: null,
        rows: [],
        resultsPngAt: null,
        activityAt: now,
      },
    ],
    outputs: [
      {
        path,
        source: 'ingest',
        generation: 'ingest',
        writtenAt: now,
        events: events.map((event, index) => ({ offset: from + index, event })),
      },
    ],
  };
};

/** Stands for the inode that a folder would have: 48 bits of the name's hash. */
const numberOf = (name: string): number => createHash('sha256').update(name).digest().readUIntBE(0, 6);
