import { stripVTControlCharacters } from 'node:util';

/**
 * Takes one piece of a console log that a line end, a carriage return or the end of a quiet file ends; an empty one is
 * an empty line. `raw` has one character a byte (latin1), so that what is only a redraw is never decoded. `offset`: the
 * byte behind it.
 */
export type TakeSegment = (raw: string, offset: number) => void;

/** Cuts bytes into segments, whatever pieces they come in. */
export type Segmenter = {
  readonly push: (bytes: Buffer, take: TakeSegment) => void;
  /** The segment that has no end yet. When it goes on it comes again, whole and with a greater offset; else never. */
  readonly rest: (take: TakeSegment) => void;
};

/** A dump of arguments has 3,000 characters; what is longer than this (hostile bytes, a hole of NULs) is cut. */
const MAX_SEGMENT = 16 * 1024;

/** Nothing pushed yet. */
export const createSegmenter = (): Segmenter => {
  let position = 0;
  let open = '';
  /** Where the open segment ended when `rest` took it. */
  let restedAt = -1;
  let endedWithCr = false;

  return {
    push: (bytes, take) => {
      const text = bytes.toString('latin1');
      let from = 0;
      let cr = text.indexOf('\r');
      let lf = text.indexOf('\n');
      while (cr !== -1 || lf !== -1) {
        const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr;
        const segment = open + withoutNuls(text.slice(from, end));
        const offset = position + end;
        const isLine = end === lf && !endedWithCr;
        if ((segment !== '' || isLine) && offset !== restedAt) take(segment.slice(0, MAX_SEGMENT), offset);
        open = '';
        from = end + 1;
        endedWithCr = end === cr;
        if (end === cr) cr = text.indexOf('\r', from);
        else lf = text.indexOf('\n', from);
      }
      // Copied: a slice would keep the whole chunk in memory.
      if (from < text.length) endedWithCr = false;
      const rest = (open + withoutNuls(text.slice(from))).slice(0, MAX_SEGMENT);
      open = Buffer.from(rest, 'latin1').toString('latin1');
      position += bytes.length;
    },
    rest: (take) => {
      if (open === '' || restedAt === position) return;
      restedAt = position;
      take(open, position);
    },
  };
};

/** A host that lost power leaves them at the end of a file, a log cut under its writer at the beginning. */
const withoutNuls = (raw: string): string => (raw.includes('\0') ? raw.replaceAll('\0', '') : raw);

const CONTROL_CHARACTERS = /[^\P{Cc}\t]+/gu;

/** A segment as a person reads it: UTF-8 decoded, without colours, cursor moves and what else is not seen. */
export const readable = (raw: string): string =>
  stripVTControlCharacters(Buffer.from(raw, 'latin1').toString('utf8')).replace(CONTROL_CHARACTERS, '').trimEnd();
