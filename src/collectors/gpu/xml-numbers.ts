import { type GpuMetric, THROTTLE_BITS } from '../../core/metrics.ts';
import type { Values } from '../../core/sample.ts';
import { type Element, elementAt, wordsAt } from './xml-element.ts';
import { NOT_IN_XML, PLACES, PLACES_OF_MIG, THROTTLE_WORDS } from './xml-places.ts';

/** The metrics of one GPU, and for those that are null the word that stands in place of a number, or why there is none. */
export type XmlReadings = { readonly values: Values; readonly reasons: Readonly<Record<string, string>> };

/** All metrics of a `<gpu>`. */
export const readGpu = (gpu: Element): XmlReadings => {
  const throttle = throttleOf(gpu);
  const measured = readPlaces(gpu, Object.entries(PLACES));
  return {
    values: { ...measured.values, throttle },
    reasons: { ...NOT_IN_XML, ...measured.reasons, ...(throttle === null ? { throttle: NOT_THERE } : {}) },
  };
};

/** The metrics of a `<mig_device>`: its memory. What else there is belongs to the whole GPU and is not shared out. */
export const readMig = (mig: Element): XmlReadings => {
  const own: ReadonlySet<string> = new Set(PLACES_OF_MIG);
  const { values, reasons } = readPlaces(
    mig,
    Object.entries(PLACES).filter(([metric]) => own.has(metric)),
  );
  const shared = ['throttle', ...Object.keys(NOT_IN_XML), ...Object.keys(PLACES)].filter((metric) => !own.has(metric));
  return { values, reasons: { ...Object.fromEntries(shared.map((metric) => [metric, OF_THE_WHOLE_GPU])), ...reasons } };
};

/** The number at a place, in the units of the metrics' catalogue; null where there is none. */
export const numberAt = (element: Element, place: string): number | null => {
  const match = /^(-?\d+(?:\.\d+)?)(?:\s+(\S+))?$/.exec(wordsAt(element, place) ?? '');
  const unit = match === null ? undefined : UNITS[match[2] ?? ''];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
};

const NOT_THERE = "not in this driver's XML";
const OF_THE_WHOLE_GPU = 'known of the whole GPU only, not of a MIG instance';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  '%': 1,
  C: 1,
  W: 1,
  MHz: 1,
  MiB: 2 ** 20,
  MB: 2 ** 20,
  'KB/s': 1000,
};

const FLAGS: ReadonlySet<string> = new Set<GpuMetric>(['rowRemapPending', 'rowRemapFailed']);

const readPlaces = (
  element: Element,
  wanted: readonly (readonly [metric: string, places: readonly string[]])[],
): XmlReadings => {
  const values: Record<string, number | null> = {};
  const reasons: Record<string, string> = {};
  for (const [metric, places] of wanted) {
    const read = FLAGS.has(metric) ? flagAt : sumAt;
    const found = places.map((place) => read(element, place)).find((number) => number !== null) ?? null;
    values[metric] = found;
    if (found === null) reasons[metric] = wordsInstead(element, places) ?? NOT_THERE;
  }
  return { values, reasons };
};

/**
 * A sum needs every part, but a part that says `N/A` is none: this board does not count there. Any other word (`Unknown
 * Error`) leaves the sum unknown.
 */
const sumAt = (element: Element, place: string): number | null => {
  const parts = place.split(' + ');
  const numbers = parts.flatMap((part) => numberAt(element, part) ?? []);
  const without = parts.filter((part) => wordsAt(element, part) === 'N/A');
  return numbers.length > 0 && numbers.length + without.length === parts.length
    ? numbers.reduce((sum, number) => sum + number, 0)
    : null;
};

const flagAt = (element: Element, place: string): number | null => {
  const words = wordsAt(element, place);
  return words === 'Yes' ? 1 : words === 'No' ? 0 : numberAt(element, place);
};

/** What stands at the first place that holds anything but numbers; a block may hold one word for all of it. */
const wordsInstead = (element: Element, places: readonly string[]): string | null => {
  for (const place of places.flatMap((each) => each.split(' + '))) {
    const block = place.includes('.') ? wordsAt(element, place.slice(0, place.lastIndexOf('.'))) : null;
    const words = wordsAt(element, place) ?? block;
    if (words !== null && !/^\d+$/.test(words)) return words;
  }
  return null;
};

const throttleOf = (gpu: Element): number | null => {
  for (const word of THROTTLE_WORDS) {
    const reasons = elementAt(gpu, `${word}s`);
    let mask = 0;
    let told = false;
    for (const [name, bit] of Object.entries(THROTTLE_BITS)) {
      const said = wordsAt(reasons, `${word}_${name === 'display_clock_setting' ? 'display_clocks_setting' : name}`);
      if (said === 'Active') mask |= bit;
      if (said === 'Active' || said === 'Not Active') told = true;
    }
    if (told) return mask;
  }
  return null;
};
