import type { Sample } from '../../../src/core/sample.ts';
import { createChance } from '../chance.ts';

const HOUR = 3_600_000;
/** 2025-09-09 13:00 UTC. */
export const START = 1_757_422_800_000;
/** All that {@link samplesOf} makes is over by then. */
export const sealedBy = START + 1000 * HOUR;

/** Samples of some seconds each, with gaps, values that are not known, a counter that begins anew, and a metric that appears late. */
export const samplesOf = (subject: string, seed: number, count: number): Sample[] => {
  const chance = createChance(seed);
  let at = START + 17;
  let energy = 1e6;
  return Array.from({ length: count }, (_, i) => {
    at += chance() < 0.01 ? 200_000 : 3900 + Math.floor(chance() * 200);
    energy = chance() < 0.002 ? 0 : energy + 300 * chance();
    return {
      subject,
      at,
      values: {
        utilization: chance() < 0.1 ? null : Math.floor(chance() * 101),
        power: 50 + 300 * chance(),
        energy: chance() < 0.05 ? null : energy,
        ...(i > count / 2 && { xid: Math.floor(chance() * 100) }),
      },
    };
  });
};
