/** Asked now and then, never waited for. */
export type Question<T> = {
  /** The newest answer; null while there is none. Starts the next question when it is time and it may. */
  readonly latest: (mayAsk?: boolean) => T | null;
  /** It was asked and has not answered yet. */
  readonly isOpen: () => boolean;
};

/**
 * Asks what may take for ever, such as a network disk or a drive that hangs: one question at a time, and who looks gets
 * the newest answer at once. An answer counts until the next is due; null at first, and while none comes.
 * In the machine's time, `everyMs`: it is about its devices.
 */
export const createQuestion = <T>(everyMs: number, ask: () => Promise<T>): Question<T> => {
  let askedAt = Number.NEGATIVE_INFINITY;
  let isOpen = false;
  let answer: T | null = null;
  const begin = () => {
    askedAt = performance.now();
    isOpen = true;
    ask()
      .catch(() => null)
      .then((found) => {
        answer = found;
        isOpen = false;
      });
  };
  return {
    latest: (mayAsk = true) => {
      const overdue = performance.now() - askedAt >= everyMs;
      if (isOpen) return overdue ? null : answer;
      if (overdue && mayAsk) begin();
      return answer;
    },
    isOpen: () => isOpen,
  };
};
