/** Decides when a simple rule fires: true at the evaluation at which it does. */
export type Latch = (at: number, bad: boolean, good: boolean) => boolean;

/** Fires after `fire` bad evaluations in a row, is over after `clear` good ones, and then rests for `rest` rows. */
export const countingLatch = (fire: number, clear: number, rest = 0): Latch => {
  let firing = false;
  let streak = 0;
  let endedAt = Number.NEGATIVE_INFINITY;
  return (at, bad, good) => {
    if (firing) {
      streak = good ? streak + 1 : 0;
      if (streak < clear) return false;
      firing = false;
      streak = 0;
      endedAt = at;
      return false;
    }
    streak = bad ? streak + 1 : 0;
    if (streak < fire || at - endedAt <= rest) return false;
    firing = true;
    streak = 0;
    return true;
  };
};

/** Fires when it was bad for `fireS` seconds without a break, and is over when it was good for `clearS`. */
export const timedLatch = (fireS: number, clearS: number): Latch => {
  let firing = false;
  let since: number | null = null;
  return (at, bad, good) => {
    const counts = firing ? good && !bad : bad;
    since = counts ? (since ?? at) : null;
    if (since === null || at - since < (firing ? clearS : fireS)) return false;
    firing = !firing;
    since = null;
    return firing;
  };
};
