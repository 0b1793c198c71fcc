import { sum } from '../../../src/core/statistics.ts';
import { createRandom } from '../random.ts';
import type { Raised } from './raised.ts';

/**
 * Raises `count` alerts of a rule anywhere in these runs: what an alert is worth that knows nothing. By run, in their
 * order.
 */
export const raiseAtRandom = (
  rule: string,
  runs: readonly { readonly length: number }[],
  count: number,
): readonly (readonly Raised[])[] => {
  const random = createRandom(count);
  const raised: Raised[][] = runs.map(() => []);
  const total = sum(runs.map(({ length }) => length));
  for (let i = 0; i < count; i++) {
    let place = random.integer(0, total - 1);
    const index = runs.findIndex(({ length }) => {
      if (place < length) return true;
      place -= length;
      return false;
    });
    raised[index]?.push({ rule, at: place + 1, cause: null, leftS: null });
  }
  return raised;
};
