import type { Severity } from '../../../src/core/alert.ts';

const LAMPS = { calm: '#2fa36b', info: '#3b82c4', warning: '#d98e04', critical: '#d13438' } as const;

/** The tab's icon as a data address: a signal whose lamp shows the worst that is firing, with its count. */
export const faviconOf = (worst: Severity | null, count: number): string => {
  const lamp = LAMPS[worst ?? 'calm'];
  const sign =
    count === 0
      ? ''
      : `<text x="16" y="22" font-family="sans-serif" font-size="17" font-weight="700" text-anchor="middle" fill="#fff">${Math.min(count, 9)}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1c232c"/><circle cx="16" cy="16" r="12" fill="${lamp}"/>${sign}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
};
