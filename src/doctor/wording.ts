const UNITS = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** 21 GiB, 512 MiB, 4 KiB: as people say amounts of memory and disk. */
export const bytesInWords = (bytes: number): string => {
  const [unit, size] = UNITS.find(([, size]) => bytes >= size) ?? UNITS[2];
  const amount = bytes / size;
  return `${amount < 10 ? Number(amount.toFixed(1)) : Math.round(amount)} ${unit}`;
};

/** 0.4 ms, 23 ms, 2.5 s, 3 min. */
export const msInWords = (ms: number): string => {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(1))} s`;
  return `${Math.round(ms / 60_000)} min`;
};

/** "1 GPU", "2 GPUs". */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** "a", "a and b", "a, b and c"; what is beyond `most` is only counted. */
export const listed = (items: readonly string[], most = 6): string => {
  const shown = items.length > most ? [...items.slice(0, most), `${items.length - most} more`] : items;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
};
