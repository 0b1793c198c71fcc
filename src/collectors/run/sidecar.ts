import { MAX_EVENT_LINE_CHARACTERS, parseEventLine } from '../../core/trace-line.ts';
import type { LocatedEvent, LogParser } from '../log/tailer.ts';

/** The sidecar's name in a run folder (CONTRACT 5). */
export const SIDECAR_FILE = 'signalbox.ndjson';

/** Reads the bytes of a sidecar: one JSON object a line. */
export type SidecarParser = LogParser<LocatedEvent> & {
  /** How many lines could not be read so far, and what was wrong with the last of them. */
  readonly broken: () => { readonly lines: number; readonly problem: string | null };
};

const LF = 0x0a;
/** A character has three bytes at most for each of its UTF-16 units. */
const MAX_LINE_BYTES = 3 * MAX_EVENT_LINE_CHARACTERS;

/** Nothing read yet. Kinds that we do not know are passed over, and a line waits for its end: half of it is no JSON. */
export const createSidecarParser = (): SidecarParser => {
  let position = 0;
  let open: Buffer = Buffer.alloc(0);
  let broken: { lines: number; problem: string | null } = { lines: 0, problem: null };

  const read = (bytes: Buffer): readonly LocatedEvent[] => {
    const line = bytes.toString('utf8').replaceAll('\0', '').trim();
    if (line === '') return [];
    const read = parseEventLine(line);
    if ('event' in read) return [{ offset: position, event: read.event }];
    if (read.unknownKind === undefined) broken = { lines: broken.lines + 1, problem: read.problem };
    return [];
  };

  return {
    push: (bytes) => {
      const events: LocatedEvent[] = [];
      const start = position;
      let from = 0;
      for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
        position = start + end;
        events.push(...read(Buffer.concat([open, bytes.subarray(from, end)])));
        open = Buffer.alloc(0);
        from = end + 1;
      }
      position = start + bytes.length;
      open = Buffer.concat([open, bytes.subarray(from)]).subarray(0, MAX_LINE_BYTES);
      return events;
    },
    rest: () => [],
    broken: () => broken,
  };
};
