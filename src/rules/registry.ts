import { collectorStale } from './collector-stale.ts';
import { dataloaderStall } from './dataloader-stall.ts';
import { lossNan } from './loss-nan.ts';
import { lossSpike } from './loss-spike.ts';
import { mapOscillation } from './map-oscillation.ts';
import { oomRisk } from './oom-risk.ts';
import type { AnyRule } from './rule.ts';

/** Every rule of the product. */
export const RULES: readonly AnyRule[] = [lossSpike, lossNan, mapOscillation, dataloaderStall, oomRisk, collectorStale];
