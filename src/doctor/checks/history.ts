import { type Check, check } from '../check.ts';
import type { DatabaseFacts } from '../facts/database.ts';
import { bytesInWords } from '../wording.ts';

/** SQLite's locks and its shared memory do not hold over a network. */
const NETWORK = /^(nfs|cifs|smb|9p|afs|ceph|glusterfs|lustre|beegfs|gpfs|fuse)/;
const MIB = 2 ** 20;
const NO_SPACE = 256 * MIB;
const LITTLE_SPACE = 4096 * MIB;

/** `newestSchema`: the newest that this version knows. `isContainer`: what is not on a volume goes with it. */
export const judgeDatabase = (
  facts: DatabaseFacts,
  { newestSchema, isContainer }: { readonly newestSchema: number; readonly isContainer: boolean },
): readonly Check[] => [
  judgeFolderOf(facts, isContainer),
  judgeSpace(facts),
  judgeFile(facts, newestSchema),
  judgeHolder(facts),
];

const judgeFolderOf = (
  { path, folder, hasFolder, refusal, fileSystem }: DatabaseFacts,
  isContainer: boolean,
): Check => {
  const subject = { id: 'database-folder', group: 'history', title: 'Folder' } as const;
  const facts = { path, folder, hasFolder, refusal, fileSystem };
  if (refusal !== null) {
    return check(subject, {
      status: 'problem',
      says: `${folder} may not be written to (${refusal})`,
      facts,
      fix: ['--db FILE puts the history elsewhere', `or let this user write there: sudo chown "$USER" ${folder}`],
    });
  }
  const where = hasFolder ? folder : `below ${folder}, made at the first start`;
  if (fileSystem !== null && NETWORK.test(fileSystem)) {
    return check(subject, {
      status: 'problem',
      says: `${where}: on ${fileSystem}, where SQLite can lose data`,
      facts,
      fix: ['--db FILE with a file on a disk of this machine'],
    });
  }
  if (fileSystem === 'tmpfs' || fileSystem === 'ramfs') {
    return check(subject, {
      status: 'warning',
      says: `${where}: in memory (${fileSystem}), so the history is gone after a restart of the machine`,
      facts,
      fix: ['--db FILE with a file on a disk'],
    });
  }
  if (isContainer && fileSystem === 'overlay') {
    return check(subject, {
      status: 'warning',
      says: `${where}: in the container itself, so the history goes with it`,
      facts,
      fix: ['keep it on a volume: docker run -v signalbox:/data … --db /data/signalbox.db'],
    });
  }
  return check(subject, { status: 'ok', says: `${where} (${fileSystem ?? 'file system not known'})`, facts });
};

const judgeSpace = ({ freeBytes }: DatabaseFacts): Check => {
  const subject = { id: 'database-space', group: 'history', title: 'Space' } as const;
  const says = `${bytesInWords(freeBytes)} free`;
  const fix = ['make room, or --db FILE on another disk'];
  if (freeBytes < NO_SPACE) return check(subject, { status: 'problem', says, facts: { freeBytes }, fix });
  if (freeBytes < LITTLE_SPACE) {
    return check(subject, {
      status: 'warning',
      says: `${says}: months of history take that much`,
      facts: { freeBytes },
      fix,
    });
  }
  return check(subject, { status: 'ok', says, facts: { freeBytes } });
};

const judgeFile = ({ path, file }: DatabaseFacts, newestSchema: number): Check => {
  const subject = { id: 'database-file', group: 'history', title: 'Database' } as const;
  const facts = { file, newestSchema };
  if (file === null) return check(subject, { status: 'ok', says: 'none yet: made at the first start', facts });
  const elsewhere = ['--db FILE names another file'];
  const size = bytesInWords(file.bytes);
  if (file.kind === 'unreadable' || file.refusal !== null) {
    const says = `${path} may not be read and written (${file.refusal})`;
    return check(subject, { status: 'problem', says, facts, fix: [`sudo chown "$USER" ${path}*`, ...elsewhere] });
  }
  switch (file.kind) {
    case 'empty':
      return check(subject, { status: 'ok', says: 'an empty file, filled at the first start', facts });
    case 'other-database':
      return check(subject, {
        status: 'problem',
        says: `${path} is the database of another program`,
        facts,
        fix: elsewhere,
      });
    case 'no-database':
      return check(subject, {
        status: 'problem',
        says: `${path} is no SQLite database, or a damaged one`,
        facts,
        fix: elsewhere,
      });
    case 'signalbox': {
      const schema = file.schema ?? 0;
      if (schema > newestSchema) {
        const says = `written by a newer Signalbox: its schema is ${schema}, this one knows up to ${newestSchema}`;
        return check(subject, { status: 'problem', says, facts, fix: ['use the newer version', ...elsewhere] });
      }
      const update = schema < newestSchema ? `, brought up to ${newestSchema} at the next start` : '';
      return check(subject, { status: 'ok', says: `${size}, schema ${schema}${update}`, facts });
    }
  }
};

const judgeHolder = ({ holder, file }: DatabaseFacts): Check => {
  const subject = { id: 'database-holder', group: 'history', title: 'In use' } as const;
  switch (holder.kind) {
    case 'nobody':
      return check(subject, { status: 'ok', says: file === null ? 'no' : 'no service has it open', facts: { holder } });
    case 'process':
      return check(subject, {
        status: 'ok',
        says: `by the service with the process id ${holder.pid}: a second one on this database would not start`,
        facts: { holder },
      });
    case 'not-known':
      return check(subject, { status: 'unknown', says: 'the kernel does not list its locks here', facts: { holder } });
  }
};
