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
