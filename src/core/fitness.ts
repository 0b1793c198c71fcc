/** Which of the two definitions of fitness is meant. */
export type FitnessDefinition = 'weighted' | 'map';

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
  for (const name in metrics) {
    const twin = twinOf(name);
    const value = metrics[name];
    if (twin === null || typeof value !== 'number') continue;
    const map50 = metrics[twin];
    if (definition === 'weighted' && typeof map50 !== 'number') continue;
    fitness = (fitness ?? 0) + (definition === 'map' ? value : 0.1 * (map50 ?? 0) + 0.9 * value);
  }
  return fitness;
};

/** The name of the mAP50 that stands beside a mAP50-95; null for the name of anything else. */
const twinOf = (name: string): string | null => {
  if (!name.startsWith('metrics/mAP')) return null;
  const [, part = '', head = ''] = MAP_50_95.exec(name) ?? [];
  if (part === '') return null;
  return `metrics/${part === 'mAP50-95' ? 'mAP50' : 'mAP_0.5'}${head}`;
};

const MAP_50_95 = /^metrics\/(mAP50-95|mAP_0\.5:0\.95)(\([A-Z]\))?$/;
