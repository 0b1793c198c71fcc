/** How many `--series-N` colours the style sheet has, in both themes. */
const COLOURS = 7;

/** Fixed places in the palette, so that a metric has one colour on every page; the others follow from their name. */
const PLACES: Readonly<Record<string, number | undefined>> = {
  box_loss: 0,
  cls_loss: 1,
  dfl_loss: 2,
  seg_loss: 3,
  pose_loss: 4,
  kobj_loss: 5,
  mAP50: 1,
  'mAP50-95': 0,
  precision: 2,
  recall: 3,
  pg0: 0,
  pg1: 1,
  pg2: 2,
  utilization: 0,
  memoryUsed: 1,
  power: 2,
  temperature: 3,
  cpu: 0,
  cpuIowait: 1,
  pressureIo: 3,
  diskRead: 0,
  diskWrite: 1,
  netRx: 2,
  netTx: 3,
};

/** The style sheet's variable with the colour of a metric or a trainer's column (`train/box_loss`, `metrics/mAP50(B)`). */
export const colorOf = (metric: string): string => {
  const name = metric.replace(/^.*\//, '').replace(/\([A-Z]\)$/, '');
  return `--series-${PLACES[name] ?? hash(name) % COLOURS}`;
};

const hash = (name: string): number => [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
