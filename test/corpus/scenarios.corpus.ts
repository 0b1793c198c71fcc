// Our scenarios beside those of the prototype's own generators, which lie beside the checkout: given the same chance, both
// must come to the same training, or a rule could look better on ours than it is.
import { existsSync } from 'node:fs';
import t from 'tap';
import { EPOCH_KINDS } from '../../bench/rules/epochs/generate.ts';
import { generate } from '../../bench/rules/generate.ts';
import { referenceScenarios } from '../../bench/rules/reference.ts';
import type { Wanted } from '../../bench/rules/scenario.ts';
import { TELEMETRY_KINDS } from '../../bench/rules/telemetry/generate.ts';

const FOLDER = '../shared/reference/scenarios';
const SEED = 1000;

const wanted: readonly Wanted[] = [
  ...[...EPOCH_KINDS.clean, ...EPOCH_KINDS.fault].map((kind) => ({ scale: 'rows' as const, kind, seed: SEED })),
  ...[...TELEMETRY_KINDS.clean, ...TELEMETRY_KINDS.fault].map((kind) => ({
    scale: 'seconds' as const,
    kind,
    seed: SEED,
  })),
];

t.test('every kind of scenario is the one of the prototype', { skip: !existsSync(FOLDER) }, async (t) => {
  let compared = 0;
  for await (const theirs of referenceScenarios({ folder: FOLDER, chance: 'lent' }, wanted)) {
    const place = wanted[compared++];
    if (!place) break;
    t.equal(difference(generate(place), theirs, ''), null, `${place.scale} ${place.kind}`);
  }
  t.equal(compared, 69);
});

/** Where two values first differ by more than the last digits; null: nowhere. Grades of continuous ranges are only ours. */
const difference = (ours: unknown, theirs: unknown, path: string): string | null => {
  if (typeof ours === 'number' && typeof theirs === 'number') {
    const allowed = /\.(t|elapsedS)$/.test(path) ? 2000 : 1e-6 * Math.max(1, Math.abs(ours));
    return Math.abs(ours - theirs) <= allowed ? null : `${path}: ${ours} and ${theirs}`;
  }
  if (!isObject(ours) || !isObject(theirs)) return ours === theirs ? null : `${path}: ${ours} and ${theirs}`;
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const found = name === 'grade' ? null : difference(ours[name], theirs[name], `${path}.${name}`);
    if (found !== null) return found;
  }
  return null;
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
