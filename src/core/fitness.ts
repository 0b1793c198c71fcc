/**
 * The fitness by which Ultralytics picks best.pt and stops early, from a row's metrics; null where they are missing.
 * Two definitions are in use: `weighted` is 0.1·mAP50 + 0.9·mAP50-95 (YOLOv5 to 8.3), `map` is mAP50-95 alone (newer).
 * Segment and pose add the mask or pose part to the box part; classify is the mean of top-1 and top-5.
 * Source: ultralytics/utils/metrics.py (`Metric.fitness`, `ClassifyMetrics.fitness`).
 */
export const fitnessOf = (
  metrics: Readonly<Record<string, number | null>>,
  definition: FitnessDefinition,
): number | null => {
  const top1 = metrics['metrics/accuracy_top1'];
  const top5 = metrics['metrics/accuracy_top5'];
  if (typeof top1 === 'number' && typeof top5 === 'number') return (top1 + top5) / 2;
  let fitness: number | null = null;
  for (const [name, value] of Object.entries(metrics)) {
    const match = MAP_50_95.exec(name);
    if (!match || value === null) continue;
    const map50 = metrics[`metrics/${match[1] === 'mAP50-95' ? 'mAP50' : 'mAP_0.5'}${match[2]}`];
    if (definition === 'weighted' && typeof map50 !== 'number') continue;
    fitness = (fitness ?? 0) + (definition === 'map' ? value : 0.1 * (map50 ?? 0) + 0.9 * value);
  }
  return fitness;
};

const MAP_50_95 = /^metrics\/(mAP50-95|mAP_0\.5:0\.95)(\([A-Z]\))?$/;

/** Which of the two definitions of fitness is meant. */
export type FitnessDefinition = 'weighted' | 'map';

/** A row's metrics, as far as fitness goes. */
type Rated = { readonly epoch: number; readonly metrics: Readonly<Record<string, number | null>> };

/** The fitness of a row; see {@link fitnessOf}. */
export type Fitness = (row: Rated, definition: FitnessDefinition) => number | null;

/** A {@link Fitness} that reckons each row once: a run of a thousand epochs is summarized anew at each of them. */
export const rememberFitness = (): Fitness => {
  const known = { weighted: new WeakMap<Rated, number | null>(), map: new WeakMap<Rated, number | null>() };
  return (row, definition) => {
    const before = known[definition].get(row);
    if (before !== undefined) return before;
    const fitness = fitnessOf(row.metrics, definition);
    known[definition].set(row, fitness);
    return fitness;
  };
};

/**
 * Replays Ultralytics' EarlyStopping over the epochs of a run: true when the last row is the one at which it stops.
 * A fitness of 0 counts as an improvement (`fitness > best or best == 0`), so a run that learns nothing never stops.
 * Source: ultralytics/utils/torch_utils.py, `EarlyStopping`.
 */
export const stopsEarlyAt = (
  rows: readonly Rated[],
  patience: number,
  fitness: Fitness,
): { readonly bestEpoch: number } | null => {
  if (patience <= 0) return null;
  for (const definition of ['weighted', 'map'] as const) {
    let best = 0;
    let bestEpoch = rows[0]?.epoch ?? 0;
    let stoppedAt: number | null = null;
    for (const [i, row] of rows.entries()) {
      const rating = fitness(row, definition) ?? 0;
      if (rating > best || best === 0) {
        best = rating;
        bestEpoch = row.epoch;
      }
      if (row.epoch - bestEpoch >= patience) {
        stoppedAt = i;
        break;
      }
    }
    if (stoppedAt !== null && stoppedAt === rows.length - 1) return { bestEpoch };
  }
  return null;
};
