import { DEFAULT_RETENTION, type Retention } from './core/retention.ts';

/** The default as it would be written. */
export const RETENTION_SHOWN = 'raw=14d,60s=180d,1h=forever,size=4GiB';

const AGES = { h: 3_600_000, d: 86_400_000, y: 365 * 86_400_000 } as const;
const SIZES = { MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
const LEAST_BYTES = 64 * SIZES.MiB;

const KEYS = { raw: 'rawMs', '60s': 'minuteMs', '1h': 'hourMs', size: 'maxBytes' } as const;

/**
 * Reads `raw=14d,size=4GiB` (or the same as a map, from the file); what is left out is as by default. `reject` says what
 * is allowed instead.
 */
export const readRetention = (value: unknown, reject: (allowed: string) => never): Retention => {
  const retention: Record<keyof Retention, number> = { ...DEFAULT_RETENTION };
  for (const [key, text] of entriesOf(value, reject)) {
    if (!isKey(key)) return reject(`has the unknown part "${key}"; use raw, 60s, 1h and size`);
    retention[KEYS[key]] = key === 'size' ? readSize(text, reject) : readAge(key, text, reject);
  }
  const { rawMs, minuteMs, hourMs } = retention;
  if (rawMs > minuteMs || minuteMs > hourMs) {
    return reject('keeps what is finer for longer; 60s must be kept as long as raw, and 1h as long as 60s');
  }
  return retention;
};

const isKey = (key: string): key is keyof typeof KEYS => Object.hasOwn(KEYS, key);

const entriesOf = (value: unknown, reject: (allowed: string) => never): readonly (readonly [string, string])[] => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).map(([key, text]) => [key, String(text)] as const);
  }
  if (typeof value !== 'string' || value === '')
    return reject(`is not a retention; use for example ${RETENTION_SHOWN}`);
  return value.split(',').map((part) => {
    const [key = '', text, ...rest] = part.split('=').map((word) => word.trim());
    return text === undefined || rest.length > 0
      ? reject(`is not a retention; use for example ${RETENTION_SHOWN}`)
      : ([key, text] as const);
  });
};

const readAge = (key: string, text: string, reject: (allowed: string) => never): number => {
  if (text === 'forever') return Number.POSITIVE_INFINITY;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([hdy])$/.exec(text) ?? [];
  const ms = unit === 'h' || unit === 'd' || unit === 'y' ? Number(amount) * AGES[unit] : 0;
  return ms >= AGES.h
    ? ms
    : reject(`has an age for ${key} that cannot be used: "${text}"; use for example 12h, 14d, 2y or forever`);
};

const readSize = (text: string, reject: (allowed: string) => never): number => {
  if (text === 'unlimited') return Number.POSITIVE_INFINITY;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(MiB|GiB|TiB)$/.exec(text) ?? [];
  const bytes = unit === 'MiB' || unit === 'GiB' || unit === 'TiB' ? Number(amount) * SIZES[unit] : 0;
  return bytes >= LEAST_BYTES
    ? bytes
    : reject(`has a size that cannot be used: "${text}"; use 64MiB or more, for example 4GiB, or unlimited`);
};
