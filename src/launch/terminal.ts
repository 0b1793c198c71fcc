import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';

/** The person's terminal while the training has a pseudo-terminal that stands for it. */
export type Terminal = {
  /** Words for `stty` that make another terminal like this one was, size included. */
  readonly settings: readonly string[];
  /** Hands every key on as it is, Ctrl+C too: what it means is for the pseudo-terminal to say. */
  readonly sendKeys: (target: Writable) => void;
  /** Gives the pseudo-terminal at this path the size that the window has now. */
  readonly resize: (pseudoTerminal: string) => void;
  readonly close: () => void;
};

/**
 * Takes the terminal over, raw, when the keyboard is ours; a job in the background leaves it to the shell. Killed, we
 * leave it to the shell as well: keys go through this process so that they do not go astray after it.
 */
export const openTerminal = (descriptor: number, options: { readonly keyboard: boolean }): Terminal => {
  const before = stty(descriptor, ['-g']);
  const keyboard = options.keyboard && isForeground(readFileSync('/proc/self/stat', 'utf8'));
  // Before the training's first byte, which would pass two terminals that both add carriage returns.
  if (keyboard) stty(descriptor, ['raw', '-echo']);
  let keys: ReadStream | null = null;
  return {
    settings: [...before, ...sizeOf(descriptor)],
    sendKeys: (target) => {
      if (!keyboard) return;
      keys = new ReadStream(0);
      // The terminal is gone, or the training: the keys end, nothing else does.
      keys.on('error', () => {});
      target.on('error', () => {});
      keys.pipe(target);
    },
    resize: (pseudoTerminal) => {
      let other: number;
      try {
        other = openSync(pseudoTerminal, constants.O_RDWR | constants.O_NOCTTY);
      } catch {
        // The training has ended, and its pseudo-terminal with it.
        return;
      }
      stty(other, sizeOf(descriptor));
      closeSync(other);
    },
    close: () => {
      keys?.destroy();
      if (keyboard) stty(descriptor, before);
    },
  };
};

/** `/proc/PID/stat` has the process group and the foreground group of the terminal as fields 5 and 8; see proc(5). */
const isForeground = (stat: string): boolean => {
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group !== undefined && group === foreground;
};

const sizeOf = (descriptor: number): readonly string[] => {
  const [rows, columns] = stty(descriptor, ['size']);
  return rows === undefined || columns === undefined ? [] : ['rows', rows, 'cols', columns];
};

/** The words that stty prints; none where the terminal has gone. */
const stty = (descriptor: number, words: readonly string[]): readonly string[] => {
  const { stdout } = spawnSync('stty', [...words], { stdio: [descriptor, 'pipe', 'ignore'], encoding: 'utf8' });
  return (stdout ?? '').split(/\s+/).filter((word) => word !== '');
};
