import { type TSchema, Type } from 'typebox';
import type { PageQuery } from '../core/ports.ts';
import { badParameter } from './problem.ts';

/** The query schema of a route: any other parameter is refused. */
export const query = <T extends Record<string, TSchema>>(parameters: T) =>
  Type.Object(parameters, { additionalProperties: false });

/** `limit` and `cursor` of a list that answers `standard` items unless asked otherwise. */
export const paging = (standard: number) => ({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: standard })),
  cursor: Type.Optional(Type.String({ description: 'the `next` of the page before' })),
});

/** What {@link paging} let in, as the store wants it. */
export const pageQuery = (asked: { limit?: number; cursor?: string }, standard: number): PageQuery => ({
  limit: asked.limit ?? standard,
  cursor: asked.cursor,
});

const A_MOMENT = 'milliseconds since 1970 UTC, or ISO 8601 such as 2025-09-09T14:17:51Z';

/** A moment in a query; see {@link parseMoment}. */
export const MomentParameter = Type.String({ description: A_MOMENT });

/** One of some words, or several with commas between. */
export const wordsParameter = (allowed: readonly string[]) =>
  Type.String({ description: `one of ${allowed.join(', ')}, or several with commas between`, examples: [allowed[0]] });

/** The end of the year 9999: dates beyond cannot be written as ISO 8601, and calendars give up soon after. */
const LAST_MOMENT = 253_402_300_800_000;

/** Milliseconds since 1970 UTC of a query parameter, null when it was not given. Text without a zone is UTC. */
export const parseMoment = (name: string, text: string | undefined): number | null => {
  if (text === undefined) return null;
  const at = /^\d+$/.test(text) ? Number(text) : parseIso(text);
  if (Number.isNaN(at) || at < 0 || at > LAST_MOMENT) throw badParameter(name, text, A_MOMENT);
  return at;
};

const parseIso = (text: string): number => {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i.exec(text);
  return match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`);
};

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as 500ms, 1s, 60s, 5m, 1h or 1d. */
export const parseDuration = (name: string, text: string): number => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? Number.NaN);
  if (!(ms > 0)) throw badParameter(name, text, 'a duration such as 500ms, 1s, 60s, 5m, 1h or 1d');
  return ms;
};

/** The words of a list with commas, each one of `allowed`; undefined when the parameter was not given. */
export const parseWords = <T extends string>(
  name: string,
  text: string | undefined,
  allowed: readonly T[],
): readonly T[] | undefined =>
  text?.split(',').map((word) => {
    const known = allowed.find((candidate) => candidate === word);
    if (known === undefined) throw badParameter(name, word, `one of ${allowed.join(', ')}`);
    return known;
  });
