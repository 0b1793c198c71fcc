import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type History, HistorySchema } from '../core/history.ts';
import { columnsOf, type HistoryAnswer } from './history-columns.ts';
import { csvOf, jsonOf, ndjsonOf } from './history-text.ts';
import { reference } from './schemas.ts';

const JSON_TYPE = 'application/json';
const CSV = 'text/csv';
const NDJSON = 'application/x-ndjson';
const ARROW = 'application/vnd.apache.arrow.stream';

/** The formats that a client may ask for a history in by `Accept`. */
export const historyResponse = {
  description: 'Columns of aggregates',
  content: {
    [JSON_TYPE]: { schema: reference<History>(HistorySchema) },
    [CSV]: { schema: Type.String({ description: 'a line a bucket' }) },
    [NDJSON]: { schema: Type.String({ description: 'an object a bucket' }) },
    [ARROW]: { schema: Type.String({ description: 'a column an aggregate, null where there is no value' }) },
  },
};

/** Answers in the first format of `accept` that there is, else as JSON. */
export const sendHistory = async (
  history: HistoryAnswer,
  accept: string | undefined,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const type = formatOf(accept);
  if (type === JSON_TYPE) return reply.type(`${JSON_TYPE}; charset=utf-8`).send(inTurns(jsonOf(history)));
  // What the columns do not say.
  reply.header('signalbox-step-ms', history.stepMs);
  const approximate = Object.keys(history.metrics).filter((name) => history.metrics[name]?.approximate);
  if (approximate.length > 0) reply.header('signalbox-approximate', approximate.join(','));
  switch (type) {
    case CSV:
      return reply.type(`${CSV}; charset=utf-8`).send(inTurns(csvOf(history)));
    case NDJSON:
      return reply.type(NDJSON).send(inTurns(ndjsonOf(history)));
    case ARROW: {
      // Loaded when first asked for: most services never are.
      const { formatArrow } = await import('./arrow.ts');
      return reply.type(ARROW).send(Buffer.from(await formatArrow(history.t, columnsOf(history))));
    }
  }
};

const FORMATS = [JSON_TYPE, CSV, NDJSON, ARROW] as const;

const formatOf = (accept = ''): (typeof FORMATS)[number] => {
  const named = accept.split(',').map((range) => range.split(';', 1)[0]?.trim().toLowerCase());
  return named.flatMap((name) => FORMATS.filter((format) => format === name))[0] ?? JSON_TYPE;
};

/** A stream of text that lets others have their turn between its pieces: the longest answers are of tens of megabytes. */
const inTurns = (pieces: Iterable<string>): Readable =>
  Readable.from(
    (async function* () {
      for (const piece of pieces) {
        yield piece;
        await setImmediate();
      }
    })(),
  );
