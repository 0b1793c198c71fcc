import { collectorStale } from './collector-stale.ts';
import { dataloaderStall } from './dataloader-stall.ts';
import { diskFull } from './disk-full.ts';
import { divergence } from './divergence.ts';
import { gpuEcc } from './gpu-ecc.ts';
import { gpuLost } from './gpu-lost.ts';
import { gpuThrottle } from './gpu-throttle.ts';
import { gpuXid } from './gpu-xid.ts';
import { hang } from './hang.ts';
import { hostMemory } from './host-memory.ts';
import { lossNan } from './loss-nan.ts';
import { lossSpike } from './loss-spike.ts';
import { lrAnomaly } from './lr-anomaly.ts';
import { mapCollapse } from './map-collapse.ts';
import { mapOscillation } from './map-oscillation.ts';
import { neighborGpu } from './neighbor-gpu.ts';
import { oomRisk } from './oom-risk.ts';
import { overfit } from './overfit.ts';
import { plateau } from './plateau.ts';
import type { AnyRule } from './rule.ts';
import { shmFull } from './shm-full.ts';
import { stragglerGpu } from './straggler-gpu.ts';
import { throughputDrop } from './throughput-drop.ts';

/** Every rule of the product. */
export const RULES: readonly AnyRule[] = [
  lossSpike,
  lossNan,
  divergence,
  mapCollapse,
  mapOscillation,
  overfit,
  lrAnomaly,
  plateau,
  throughputDrop,
  dataloaderStall,
  oomRisk,
  hang,
  stragglerGpu,
  hostMemory,
  shmFull,
  diskFull,
  gpuThrottle,
  neighborGpu,
  gpuEcc,
  gpuXid,
  gpuLost,
  collectorStale,
];
