import { generateEpochs } from './epochs/generate.ts';
import type { Scenario, Wanted } from './scenario.ts';
import { generateTelemetry } from './telemetry/generate.ts';

/** Makes a scenario. Throws when there is no such kind. */
export const generate = ({ scale, kind, seed }: Wanted): Scenario =>
  scale === 'rows' ? generateEpochs(kind, seed) : generateTelemetry(kind, seed);
