import { Type } from 'typebox';
import type { StoreReader } from '../../core/ports.ts';
import type { Run } from '../../core/run.ts';
import { notFound } from '../problem.ts';

/** The path parameters of a route about one run. */
export const RunParams = Type.Object({ id: Type.String({ description: 'id of a run' }) });

/** The run of a route's path; throws a 404 that names it when there is none. */
export const findRun = (store: Pick<StoreReader, 'getRun'>, id: string): Run => {
  const run = store.getRun(id);
  if (run === undefined) throw notFound('run', id);
  return run;
};
