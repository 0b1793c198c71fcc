import { text } from './text.ts';

/** Numbers and moments as a person reads them, in the browser's locale. Unknown is `–`, never 0. */
export const UNKNOWN = '–';

type Maybe = number | null | undefined;

/** A measured value: as many decimals as four significant digits need, very small ones with an exponent. */
export const formatNumber = (value: Maybe, digits = 4): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const tiny = value !== 0 && Math.abs(value) < 1e-4;
  return numbers({ maximumSignificantDigits: digits, notation: tiny ? 'scientific' : 'standard' }).format(value);
};

/** With exactly this many decimals, so that columns of figures stand under each other. */
export const formatFixed = (value: Maybe, decimals: number): string =>
  value === null || value === undefined
    ? UNKNOWN
    : numbers({ minimumFractionDigits: decimals, maximumFractionDigits: decimals }).format(value);

/** A value in percent (not a share). */
export const formatPercent = (value: Maybe, decimals = 0): string =>
  value === null || value === undefined
    ? UNKNOWN
    : numbers({ style: 'percent', maximumFractionDigits: decimals }).format(value / 100);

/** Binary units, as drivers and trainers use them. */
export const formatBytes = (bytes: Maybe): string => {
  if (bytes === null || bytes === undefined) return UNKNOWN;
  const { power, unit } = binaryUnit(bytes);
  return `${numbers({ maximumSignificantDigits: 3 }).format(bytes / 1024 ** power)} ${unit}`;
};

/** A part of a whole in the unit of the whole: `28.9 of 40 GiB`. */
export const formatBytesOf = (used: Maybe, total: Maybe): string => {
  if (used === null || used === undefined || total === null || total === undefined) return formatBytes(used ?? total);
  const { power, unit } = binaryUnit(total);
  const short = numbers({ maximumFractionDigits: 1 });
  return text.of(short.format(used / 1024 ** power), `${short.format(total / 1024 ** power)} ${unit}`);
};

/** A value in one of the catalogue's units. */
export const formatUnit = (value: number | string | null | undefined, unit: string): string => {
  if (value === null || value === undefined) return UNKNOWN;
  if (typeof value === 'string') return unit ? `${value} ${unit}` : value;
  if (unit === 'bytes') return formatBytes(value);
  if (unit === 'bytes/s') return `${formatBytes(value)}/s`;
  if (unit === '%') return formatPercent(value, Math.abs(value) < 10 ? 1 : 0);
  return unit ? `${formatNumber(value, 3)} ${unit}` : formatNumber(value);
};

/** A length of time in its two largest units, without seconds from ten minutes on: `1 hr 25 min`. */
export const formatDuration = (ms: Maybe): string => {
  if (ms === null || ms === undefined) return UNKNOWN;
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 10) return units(seconds, 'second', 1);
  const total = seconds < 600 ? Math.round(seconds) : 60 * Math.round(seconds / 60);
  const parts = [
    [Math.floor(total / 86_400), 'day'],
    [Math.floor(total / 3600) % 24, 'hour'],
    [Math.floor(total / 60) % 60, 'minute'],
    [total % 60, 'second'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => units(count, unit))
    .join(' ');
};

/** A moment: the time of day, with the date unless it is today's (by `now`, the service's time). */
export const formatMoment = (at: Maybe, now: Maybe): string => {
  if (at === null || at === undefined) return UNKNOWN;
  const today = now !== null && now !== undefined && new Date(at).toDateString() === new Date(now).toDateString();
  return moments(today ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' }).format(at);
};

/** A moment below a time axis on which `spanMs` is to be seen. */
export const formatTick = (at: number, spanMs: number): string => {
  if (spanMs > 3 * 86_400_000) return moments({ month: 'short', day: 'numeric' }).format(at);
  if (spanMs > 86_400_000) return moments({ weekday: 'short', hour: 'numeric', minute: '2-digit' }).format(at);
  const seconds = spanMs < 5 * 60_000;
  return moments({ hour: 'numeric', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}) }).format(at);
};

const binaryUnit = (bytes: number) => {
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10));
  return { power, unit: ['B', 'KiB', 'MiB', 'GiB', 'TiB'][power] ?? 'B' };
};

const units = (value: number, unit: 'day' | 'hour' | 'minute' | 'second', decimals = 0) =>
  numbers({ style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: decimals }).format(value);

// Making an Intl formatter costs more than a hundred uses of it.
const made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

const numbers = (options: Intl.NumberFormatOptions): Intl.NumberFormat =>
  remember(`n${JSON.stringify(options)}`, () => new Intl.NumberFormat(navigator.language, options));

const moments = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  remember(`d${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(navigator.language, options));

const remember = <T extends Intl.NumberFormat | Intl.DateTimeFormat>(key: string, make: () => T): T => {
  const known = made.get(key);
  if (known) return known as T; // the key names the kind and its options
  const formatter = make();
  made.set(key, formatter);
  return formatter;
};
