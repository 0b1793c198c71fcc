import { open } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { GpuLogError } from './gpu-log-error.ts';

/** Some lines of a file, in order, without what ends them. */
export type FileLines = {
  /** Of the first one, from 1. */
  readonly number: number;
  readonly lines: readonly string[];
  /** Whether the last of the lines is the file's last, and nothing ends it: it may be cut off. */
  readonly isCutOff: boolean;
  /** How much of the file has been read, and how long it is, bytes. */
  readonly read: number;
  readonly size: number;
};

const PIECE_BYTES = 64 * 1024;
const LONGEST_LINE = 64 * 1024;

/**
 * Reads a file of any size piece by piece: UTF-8 or, as PowerShell writes it, UTF-16, with LF or CRLF. Throws
 * {@link GpuLogError} on a line that is longer than any log's.
 */
export async function* readFileLines(path: string): AsyncGenerator<FileLines> {
  await using file = await open(path);
  const { size } = await file.stat();
  const piece = Buffer.alloc(PIECE_BYTES);
  let decoder: TextDecoder | null = null;
  let rest = '';
  let number = 1;
  let read = 0;
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null);
    const isEnd = bytesRead === 0;
    read += bytesRead;
    decoder ??= new TextDecoder(encodingOf(piece.subarray(0, bytesRead)));
    const lines = (rest + decoder.decode(piece.subarray(0, bytesRead), { stream: !isEnd })).split('\n');
    rest = isEnd ? '' : (lines.pop() ?? '');
    if (rest.length > LONGEST_LINE) {
      throw new GpuLogError(`line ${number + lines.length} has no end; expected lines of text from nvidia-smi`);
    }
    const isCutOff = isEnd && lines.at(-1) !== '';
    yield { number, lines: lines.map((line) => line.replace(/\r$/, '')), isCutOff, read, size };
    number += lines.length;
    if (isEnd) return;
  }
}

const encodingOf = (begin: Buffer): string => (begin[0] === 0xff && begin[1] === 0xfe ? 'utf-16le' : 'utf-8');
