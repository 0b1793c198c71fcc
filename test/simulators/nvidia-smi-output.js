// How the fake nvidia-smi writes and how it ends.
import { writeSync } from 'node:fs';

/**
 * Writes a text at once, as one piece, changed as the fault says. When nobody reads any more that is our end, as
 * SIGPIPE's.
 * @param {import('./nvidia-smi-faults.js').Fault | null} fault
 */
export const createOutput = (fault) => {
  let left = fault?.kind === 'truncated' ? fault.bytes : Number.POSITIVE_INFINITY;
  /** @param {string} text @param {1 | 2} descriptor */
  const print = (text, descriptor = 1) => {
    const lines = fault?.kind === 'crlf' ? text.replace(/\n/g, '\r\n') : text;
    const bytes = Buffer.from(lines, fault?.kind === 'latin1' ? 'latin1' : 'utf8');
    try {
      if (bytes.length > 0) writeSync(descriptor, bytes, 0, Math.min(bytes.length, left));
    } catch {
      process.exit(141);
    }
    left -= bytes.length;
    if (left < 0) process.kill(process.pid, 'SIGKILL');
  };
  return {
    print,
    /** @param {number} code @param {string} text @returns {never} */
    end: (code, text) => {
      print(text);
      process.exit(code);
    },
  };
};
