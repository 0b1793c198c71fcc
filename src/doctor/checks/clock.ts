import { type Check, check } from '../check.ts';
import type { FolderFacts } from '../facts/folder.ts';
import type { ClockFacts } from '../facts/machine.ts';
import { msInWords } from '../wording.ts';

/** 2025-01-01: whoever says less has no clock. */
const RELEASED_AT = 1_735_689_600_000;

/** `container`: the clock is that of the host, and who keeps it cannot be seen from inside. */
export const judgeSynchronized = (facts: ClockFacts, now: number, container: string | null): Check => {
  const subject = { id: 'clock-synchronized', group: 'clock', title: 'Synchronised' } as const;
  const { isSynchronized, keeper } = facts;
  if (now < RELEASED_AT) {
    const says = `the clock says ${new Date(now).toISOString()}: it is wrong`;
    return check(subject, {
      status: 'problem',
      says,
      facts: { ...facts, now },
      fix: ['sudo timedatectl set-ntp true'],
    });
  }
  if (isSynchronized === true) return check(subject, { status: 'ok', says: `by ${keeper}`, facts });
  if (isSynchronized === false) {
    const says = `${keeper} runs and has not reached a time server`;
    return check(subject, { status: 'warning', says, facts, fix: ['timedatectl timesync-status says why'] });
  }
  if (keeper !== null) {
    const says = `${keeper} runs; whether it is in step only it can say`;
    return check(subject, { status: 'ok', says, facts });
  }
  const says =
    container === null
      ? 'nothing that keeps the clock is seen: times of other machines and of files may not fit'
      : 'the clock is that of the host, and who keeps it cannot be seen from a container';
  return check(subject, { status: 'unknown', says, facts, fix: ['on the host: timedatectl'] });
};

const JUMP_MS = 50;

/** How far the wall clock moved against a clock that never jumps, while the checks ran, both ms. */
export const judgeSteady = (facts: { readonly movedMs: number; readonly overMs: number }): Check => {
  const subject = { id: 'clock-steady', group: 'clock', title: 'Steady' } as const;
  const { movedMs, overMs } = facts;
  if (Math.abs(movedMs) <= JUMP_MS)
    return check(subject, { status: 'ok', says: `no jump during ${msInWords(overMs)}`, facts });
  return check(subject, {
    status: 'warning',
    says: `it jumped by ${msInWords(Math.abs(movedMs))} ${movedMs > 0 ? 'forwards' : 'backwards'} within ${msInWords(overMs)}`,
    facts,
    fix: ['chronyd or systemd-timesyncd slew the clock instead of setting it'],
  });
};

const AHEAD_MS = 2000;

/** The clock of whoever writes the runs against ours: a file server, or another machine. */
export const judgeFileClocks = (folders: readonly FolderFacts[]): readonly Check[] => {
  const dated = folders.filter(({ newestAheadMs }) => newestAheadMs !== null);
  const subject = { id: 'clock-of-files', group: 'clock', title: 'Times of files' } as const;
  if (dated.length === 0) return [];
  const facts = { folders: dated.map(({ path, newestAheadMs }) => ({ path, newestAheadMs })) };
  const ahead = dated.filter(({ newestAheadMs }) => (newestAheadMs ?? 0) > AHEAD_MS);
  if (ahead.length === 0) return [check(subject, { status: 'ok', says: 'no file of a run is newer than now', facts })];
  return [
    check(subject, {
      status: 'warning',
      says: ahead
        .map(
          ({ path, newestAheadMs }) =>
            `the newest file below ${path} is ${msInWords(newestAheadMs ?? 0)} in the future`,
        )
        .join('; '),
      facts,
      fix: ['synchronise the clocks of this machine and of the file server, or of the machine that trains'],
    }),
  ];
};
