/** What a generator comes to when nobody makes it wait. */
export const finish = <T>(work: Generator<unknown, T>): T => {
  for (;;) {
    const turn = work.next();
    if (turn.done === true) return turn.value;
  }
};
