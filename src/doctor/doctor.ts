import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Check, GROUPS } from './check.ts';
import { judgeFileClocks, judgeSteady, judgeSynchronized } from './checks/clock.ts';
import { judgeContainer } from './checks/container.ts';
import { judgeDatabase } from './checks/history.ts';
import { judgeAccess, judgePort } from './checks/network.ts';
import { judgeSoftware } from './checks/software.ts';
import { SUBJECTS, subjectOfFolder } from './checks/subjects.ts';
import { judgeProcesses, judgeSystem } from './checks/system.ts';
import { judgeProbed } from './checks/unanswered.ts';
import { judgeFolder, judgeHints, judgeInotify } from './checks/watching.ts';
import type { Holder } from './facts/database.ts';
import { createLooks } from './looks.ts';
import type { DoctorOptions } from './options.ts';
import type { Probed } from './probe.ts';

/** Everything that was looked at. */
export type Report = {
  readonly version: string;
  readonly at: number;
  readonly system: string;
  readonly checks: readonly Check[];
};

/** Looks at everything that the service needs, and judges it. Nothing that hangs holds it up, and nothing is changed. */
export const examine = async (options: DoctorOptions): Promise<Report> => {
  const { clock, version, platform, system } = options;
  const at = clock.now();
  const startedAt = performance.now();
  const look = createLooks(options);
  const [software, machine, processes, database, hints, network, ...folders] = await Promise.all([
    look.software(),
    look.machine(),
    look.processes(),
    look.database(),
    look.hints(),
    look.network(),
    ...options.settings.watch.map(look.folder),
  ]);
  const container = answerOf(machine)?.container ?? null;
  // Alone, so that nothing of ours disturbs what is measured.
  const gpu = await look.gpu(container);

  const found = folders.flatMap((folder) => answerOf(folder) ?? []);
  const used = answerOf(processes)?.inotify ?? null;
  const limits = answerOf(machine)?.inotify ?? { watches: null, instances: null };
  const runFolders = found.reduce((sum, folder) => sum + folder.runFolders, 0);
  const holder: Holder = answerOf(database)?.holder ?? { kind: 'not-known' };
  const checks: readonly Check[] = [
    ...judgeSoftware(software),
    ...gpu,
    ...(machine === null ? [] : judgeProbed(SUBJECTS.machine, machine, judgeContainer)),
    ...folders.flatMap((folder, place) =>
      judgeProbed(subjectOfFolder(place + 1, options.settings.watch[place] ?? ''), folder, (value) => [
        judgeFolder(value, place + 1),
      ]),
    ),
    ...(platform === 'linux' ? [judgeInotify({ ...limits, used, runFolders })] : []),
    ...(hints === null ? [judgeHints(null)] : judgeProbed(SUBJECTS.hints, hints, (value) => [judgeHints(value)])),
    ...judgeProbed(SUBJECTS.database, database, (value) =>
      judgeDatabase(value, { newestSchema: newestSchemaIn(options.root), isContainer: container !== null }),
    ),
    ...(machine?.kind === 'answered' ? judgeSystem(machine.value) : []),
    ...(processes === null ? [] : judgeProbed(SUBJECTS.processes, processes, judgeProcesses)),
    ...(machine?.kind === 'answered' ? [judgeSynchronized(machine.value.clock, at, container)] : []),
    judgeSteady({
      movedMs: clock.now() - at - (performance.now() - startedAt),
      overMs: performance.now() - startedAt,
    }),
    ...judgeFileClocks(found),
    judgePort(network, holder),
    judgeAccess({
      isLoopback: options.isLoopback,
      hasToken: options.settings.token !== null,
      tokenFileMode: modeOf(options.settings.tokenFile),
    }),
  ];
  const inOrder = Object.keys(GROUPS).flatMap((group) => checks.filter((found) => found.group === group));
  return { version, at, system, checks: inOrder };
};

const answerOf = <T>(outcome: Probed<T> | null): T | null => (outcome?.kind === 'answered' ? outcome.value : null);

const modeOf = (path: string | null): number | null => {
  const found = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : found.mode & 0o777;
};

/** Migrations are numbered from 1, without gaps. */
const newestSchemaIn = (root: string): number =>
  readdirSync(join(root, 'migrations')).filter((name) => /^\d{4}-.+\.sql$/.test(name)).length;
