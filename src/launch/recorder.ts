/** The variable that carries the program: what stands in a command line is found, and killed, by `pkill -f`. */
export const RECORDER_VARIABLE = 'LAUNCH_RECORDER';

/** What `sh -c` is given. */
export const EVALUATE_RECORDER = `eval "$${RECORDER_VARIABLE}"`;

/** The process that starts the training and outlives us. */
export type Recorder = {
  readonly command: readonly string[];
  /** The SHELL that the training finds in its environment; null for none. */
  readonly shell: string | null;
  /** The folder in which `process.json` and `exit.json` are written; null keeps nothing. */
  readonly folder: string | null;
  /** Words for `stty` that make the pseudo-terminal like the person's own; null where there is none. */
  readonly terminal: readonly string[] | null;
  /** Shell redirections for streams of the training that are not the recorder's, such as `<&4`. */
  readonly redirections: string;
};

/**
 * A POSIX shell program that runs the command, waits for it and writes down its pid and its status (128 + n after
 * signal n), with nobody's help. Every word stands in single quotes, in which the shell leaves every byte as it is.
 */
export const recorderProgram = ({ command, shell, folder, terminal, redirections }: Recorder): string => {
  const lines = [
    `unset ${RECORDER_VARIABLE}`,
    shell === null ? 'unset SHELL' : `SHELL=${quote(shell)}`,
    // "Killed" and the like are for the person's own shell to say.
    'exec 9>&2 2>/dev/null',
    ...(terminal === null ? [] : [`stty ${terminal.map(quote).join(' ')}`]),
    // The keyboard's signals come here too. Caught ones are back at their default in the child; ignored ones are not.
    'trap : HUP INT QUIT TERM USR1 USR2',
    `/bin/sh -c ${quote(starterProgram(folder, redirections))} signalbox "$(tty)" ${command.map(quote).join(' ')}`,
    'status=$?',
    ...(folder === null ? [] : [recordStatus(folder)]),
    'exit $status',
  ];
  return lines.join('\n');
};

/** Becomes the training, so that its pid is known before it is one. The report fails alone when nobody listens. */
const starterProgram = (folder: string | null, redirections: string): string =>
  [
    ...(folder === null ? [] : [recordProcess(folder)]),
    '(echo "$$ $PPID $1" >&3)',
    'shift',
    `exec 2>&9 ${redirections} 3>&- 4<&- 5>&- 9>&-`,
    'exec "$@"',
  ].join('; ');

/** With the lines of /proc that tell when it started; empty where there is no /proc. */
const recordProcess = (folder: string): string =>
  writeWhole(
    `${folder}/process.json`,
    `'{"pid":%d,"stat":"%s","systemStat":"%s"}\\n' "$$" "$(cat "/proc/$$/stat")" "$(grep "^btime" /proc/stat)"`,
  );

const recordStatus = (folder: string): string =>
  [
    // A date without milliseconds prints the N.
    'now=$(date +%s%3N); case $now in *N) now=$(date +%s)000;; esac',
    writeWhole(`${folder}/exit.json`, `'{"status":%d,"endedAt":%d}\\n' "$status" "$now"`),
  ].join('\n');

/** A reader sees all of the file or none. `words` are those of printf. */
const writeWhole = (path: string, words: string): string =>
  `printf ${words} >${quote(`${path}.new`)} && mv ${quote(`${path}.new`)} ${quote(path)}`;

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** The training's pid, the process group of its session, and its pseudo-terminal's path, null where it has none. */
export type Report = { readonly pid: number; readonly group: number; readonly terminal: string | null };

/** Reads the one line that the recorder writes to its descriptor 3 when the training has its pid. */
export const parseReport = (line: string): Report => {
  const [, pid, group, terminal = ''] = /^(\d+) (\d+) (.*)$/.exec(line) ?? [];
  if (pid === undefined || group === undefined) throw new Error(`the recorder reported "${line}", not pid and group`);
  return { pid: Number(pid), group: Number(group), terminal: terminal.startsWith('/') ? terminal : null };
};
