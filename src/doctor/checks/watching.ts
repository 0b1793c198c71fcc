import { type Check, check } from '../check.ts';
import type { FolderFacts } from '../facts/folder.ts';
import type { HintFacts } from '../facts/hints.ts';
import { counted, msInWords } from '../wording.ts';

const SLOW_WALK_MS = 5000;

/** `place` counts the watched folders from 1. */
export const judgeFolder = (facts: FolderFacts, place: number): Check => {
  const { path, state, code, fileSystem, givesHints, runFolders, unreadable, walkMs, isWhole } = facts;
  const subject = { id: `watched-folder-${place}`, group: 'watching', title: 'Folder' } as const;
  switch (state) {
    case 'missing':
      return check(subject, {
        status: 'warning',
        says: `${path} does not exist; the service waits for it`,
        facts,
        fix: ['--watch DIR names the folder that your trainings write to, such as the runs folder of the project'],
      });
    case 'not-a-folder':
      return check(subject, { status: 'problem', says: `${path} is a file`, facts, fix: ['--watch wants a folder'] });
    case 'unreadable':
      return check(subject, {
        status: 'problem',
        says: `${path} cannot be read (${code})`,
        facts,
        fix: [`let this user read it: setfacl -R -m u:USER:rX ${path}`, 'or start the service as the user who trains'],
      });
    case 'there': {
      const found = isWhole ? counted(runFolders, 'run') : `${counted(runFolders, 'run')} so far`;
      const walk = isWhole
        ? `found in ${msInWords(walkMs)}`
        : `the search was ended after ${msInWords(walkMs)}: the service takes its time and finds all`;
      const disk = `${fileSystem ?? 'file system not known'}${givesHints ? '' : ', looked at every 2 s: another machine may write there, and that gives no hints'}`;
      const says = `${path}: ${found}, ${walk} (${disk})`;
      if (unreadable > 0) {
        return check(subject, {
          status: 'warning',
          says: `${says}; ${counted(unreadable, 'folder')} in it cannot be read`,
          facts,
          fix: [`let this user read them: setfacl -R -m u:USER:rX ${path}`],
        });
      }
      if (isWhole && runFolders === 0) {
        return check(subject, {
          status: 'warning',
          says,
          facts,
          fix: ['a run is a folder with args.yaml, opt.yaml, results.csv or results.txt: is this the right folder?'],
        });
      }
      if (!isWhole || walkMs > SLOW_WALK_MS) {
        return check(subject, {
          status: 'warning',
          says: `${says}; new runs are found late`,
          facts,
          fix: ['--watch the folder that holds the runs, rather than a large tree above it'],
        });
      }
      return check(subject, { status: 'ok', says, facts });
    }
  }
};

/** What of inotify there is, in use and to be used. */
export type InotifyFacts = {
  /** Limits per user; null: not known. */
  readonly watches: number | null;
  readonly instances: number | null;
  /** In use now by our user; null: not known. */
  readonly used: { readonly watches: number; readonly instances: number } | null;
  readonly runFolders: number;
};

/** A young run takes one for its folder and one for each of its files that is followed. */
const WATCHES_PER_RUN = 4;
/** For the folders on the way to the runs, and those of us that watch nothing of a run. */
const WATCHES_BESIDE = 64;
const INSTANCES = 2;

export const judgeInotify = ({ watches, instances, used, runFolders }: InotifyFacts): Check => {
  const subject = { id: 'inotify-limits', group: 'watching', title: 'inotify limits' } as const;
  const needs = runFolders * WATCHES_PER_RUN + WATCHES_BESIDE;
  const facts = { watches, instances, used, needs };
  if (watches === null || instances === null)
    return check(subject, { status: 'unknown', says: 'this kernel does not tell them', facts });
  const inUse = used ?? { watches: 0, instances: 0 };
  const says =
    `at most ${needs} of ${watches} watches are needed` +
    (used === null ? '' : `, ${used.watches} are in use (and ${used.instances} of ${instances} instances)`);
  const fix = [
    ...(watches - inUse.watches < needs
      ? [`sudo sysctl fs.inotify.max_user_watches=${nextLimit(needs + inUse.watches)}`]
      : []),
    ...(instances - inUse.instances < INSTANCES ? ['sudo sysctl fs.inotify.max_user_instances=512'] : []),
  ];
  if (fix.length === 0) return check(subject, { status: 'ok', says, facts });
  return check(subject, {
    status: 'warning',
    says: `${says}: too few are left; what gets none is looked at every 2 s`,
    facts,
    fix: [...fix, 'to keep it, write the same into /etc/sysctl.d/60-inotify.conf (without "sudo sysctl")'],
  });
};

const nextLimit = (needs: number): number => Math.max(524_288, 2 ** Math.ceil(Math.log2(needs * 2)));

const SLOW_HINT_MS = 100;

/** null: there is no place of ours to try it in. */
export const judgeHints = (facts: HintFacts | null): Check => {
  const subject = { id: 'inotify-hints', group: 'watching', title: 'Hints of changes' } as const;
  if (facts === null)
    return check(subject, { status: 'unknown', says: 'not tried: there is no folder of ours that may be written to' });
  switch (facts.kind) {
    case 'came':
      return check(subject, {
        status: facts.afterMs > SLOW_HINT_MS ? 'warning' : 'ok',
        says: `come ${msInWords(facts.afterMs)} after a change (tried in a folder of our own)`,
        facts,
      });
    case 'silent':
      return check(subject, {
        status: 'warning',
        says: `none came within ${msInWords(facts.afterMs)}: everything is looked at every 2 s instead`,
        facts,
        fix: ['some sandboxes and file systems give none; --polling always says so to the service'],
      });
    case 'refused':
      return check(subject, {
        status: 'warning',
        says: `no watch can be had (${facts.code}): everything is looked at every 2 s instead`,
        facts,
        fix: ['raise the limits of inotify, see above'],
      });
  }
};
