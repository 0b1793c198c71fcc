import type { Subject } from './unanswered.ts';

const ANOTHER_DISK = ['--db FILE on a disk that answers'];

/** What is said of a look that hung or crashed, in place of its checks. */
export const SUBJECTS = {
  machine: { id: 'machine', group: 'system', title: 'This machine', whose: '/proc', fix: [] },
  processes: {
    id: 'processes',
    group: 'system',
    title: 'Processes',
    whose: 'a process',
    fix: ['a process that cannot be looked at waits for a disk or a driver: ps -eo pid,stat,wchan,cmd | grep " D"'],
  },
  devices: {
    id: 'gpu-devices',
    group: 'gpu',
    title: '/dev/nvidia*',
    whose: 'the driver',
    fix: ['a driver that hangs does not come back by itself: reset the GPU or reboot'],
  },
  hints: {
    id: 'inotify-hints',
    group: 'watching',
    title: 'Hints of changes',
    whose: 'the disk of the database',
    fix: ANOTHER_DISK,
  },
  database: {
    id: 'database-folder',
    group: 'history',
    title: 'Folder',
    whose: 'the disk of the database',
    fix: ANOTHER_DISK,
  },
} as const satisfies Record<string, Subject>;

/** `place` counts the watched folders from 1. */
export const subjectOfFolder = (place: number, path: string): Subject => ({
  id: `watched-folder-${place}`,
  group: 'watching',
  title: 'Folder',
  whose: path,
  fix: ['a network disk that does not answer: check its server, or leave it out of --watch'],
});
