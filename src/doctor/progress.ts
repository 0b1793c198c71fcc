/** A line that says what is being waited for, for as long as it takes. */
export type Progress = { readonly wait: (waitingFor: readonly string[]) => void; readonly end: () => void };

const FIRST_AFTER_MS = 400;
const CLEAR = '\r\u001b[K';

/** Writes to a terminal, over and over the same line, `width` characters long at most; nothing of it is left at the end. */
export const createProgress = (write: (text: string) => void, width: number): Progress => {
  const startedAt = performance.now();
  let names: readonly string[] = [];
  const show = (): void => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const text = `  looking at ${names.join(', ')} … ${seconds} s`;
    if (names.length > 0) write(CLEAR + text.slice(0, width - 1));
  };
  const timer = setInterval(show, FIRST_AFTER_MS);
  return {
    wait: (waitingFor) => {
      names = waitingFor;
    },
    end: () => {
      clearInterval(timer);
      write(CLEAR);
    },
  };
};
