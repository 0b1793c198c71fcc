import { createLocalTime } from './local-time.ts';

/** A moment, or in words, which are the same for all its like, why a text is none. */
export type Timestamp = { readonly at: number } | { readonly problem: string };

/**
 * Reads the timestamps of a log: `2024/01/02 03:04:05.678` as nvidia-smi prints it, or ISO 8601. Without an offset they
 * are local time of the zone. In the hour that a clock shows twice, the first one is meant unless that would be before
 * `after`, the moment that the log had come to. Throws a RangeError on a zone that is not known.
 */
export const createTimestampReader = (zone: string): ((text: string, after: number) => Timestamp) => {
  const momentsOf = createLocalTime(zone);
  return (text, after) => {
    const [, date = '', , time, offset] = FORMAT.exec(text) ?? [];
    const local = Date.parse(`${date.replaceAll('/', '-')}T${time}Z`);
    if (Number.isNaN(local)) return { problem: 'its timestamp cannot be read' };
    if (offset !== undefined) return { at: local - offsetMs(offset) };
    const moments = momentsOf(local);
    const at = moments.find((moment) => moment >= after) ?? moments.at(-1);
    return at === undefined ? { problem: `the clock of ${zone} leaves its time out` } : { at };
  };
};

const FORMAT = /^(\d{4}([-/])\d{2}\2\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?) ?(Z|[+-]\d{2}:?\d{2})?$/;

/** Of `Z` or `+05:30`. */
const offsetMs = (offset: string): number => {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(offset) ?? [];
  const size = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return sign === '-' ? -size : size;
};
