const SPACE = 32;
const ZERO = 48;

/**
 * The whole numbers of one line of /proc, with any number of spaces between them; null when there is anything else.
 * By hand: a line of every CPU goes through here at every look, and `split` and `Number` take 20 times as long.
 */
export const countersIn = (text: string, start = 0, end = text.length): readonly number[] | null => {
  const counters: number[] = [];
  let counter: number | null = null;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code >= ZERO && code <= ZERO + 9) counter = (counter ?? 0) * 10 + code - ZERO;
    else if (code !== SPACE) return null;
    else if (counter !== null) {
      counters.push(counter);
      counter = null;
    }
  }
  if (counter !== null) counters.push(counter);
  return counters;
};
