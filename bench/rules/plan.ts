import { EPOCH_KINDS } from './epochs/generate.ts';
import type { Scale, Wanted } from './scenario.ts';
import { TELEMETRY_KINDS } from './telemetry/generate.ts';

/** How many seeds of each kind are played. */
export type Sizes = {
  readonly rows: { readonly clean: number; readonly fault: number; readonly spike: number };
  readonly seconds: { readonly clean: number; readonly fault: number };
};

/** The samples of RULES 5.1 (350 clean runs of 14 kinds, 600 with faults) and 5.2 (154 of 22, 192 of 16). */
export const FULL: Sizes = { rows: { clean: 25, fault: 30, spike: 120 }, seconds: { clean: 7, fault: 12 } };

/** What continuous integration has time for. */
export const QUICK: Sizes = { rows: { clean: 5, fault: 8, spike: 24 }, seconds: { clean: 1, fault: 2 } };

/** Rules are tuned on seeds from 0 to 999 and reported on those from 1000 on (RULES 7). */
export const TUNING_SEEDS = 0;
export const REPORTED_SEEDS = 1000;

/** The scenarios of a benchmark. */
export const planOf = ({ rows, seconds }: Sizes, firstSeed: number): readonly Wanted[] => [
  ...of('rows', EPOCH_KINDS.clean, () => rows.clean, firstSeed),
  ...of('rows', EPOCH_KINDS.fault, (kind) => (kind === 'spike' ? rows.spike : rows.fault), firstSeed),
  ...of('seconds', TELEMETRY_KINDS.clean, () => seconds.clean, firstSeed),
  ...of('seconds', TELEMETRY_KINDS.fault, () => seconds.fault, firstSeed),
];

const of = (scale: Scale, kinds: readonly string[], count: (kind: string) => number, firstSeed: number): Wanted[] =>
  kinds.flatMap((kind) => Array.from({ length: count(kind) }, (_, i) => ({ scale, kind, seed: firstSeed + i })));
