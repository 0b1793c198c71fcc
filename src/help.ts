import { OPTIONS, type Option } from './options.ts';

const EVERY_OPTION = Object.values(OPTIONS).filter((option) => !option.fileOnly);

/** Options that the demo sets itself: its runs, its GPU and a history that is thrown away at the end. */
const SIMULATED: readonly Option[] = [OPTIONS.watch, OPTIONS.db, OPTIONS.gpu, OPTIONS.nvml, OPTIONS.nvidiaSmi];

/** What help and the reading of a command line need to know of an option. */
export type Flag = Pick<Option, 'flag' | 'placeholder' | 'help' | 'shown'> & Partial<Option>;

const FORMAT: Flag = {
  flag: 'format',
  placeholder: 'FORMAT',
  help: 'text, json, or issue: to show to others, without names and paths of yours',
  shown: 'text',
};

const LOG: readonly Flag[] = [
  {
    flag: 'gpu-log',
    placeholder: 'FILE',
    help: 'what nvidia-smi --query-gpu=timestamp,… --format=csv wrote',
    shown: 'none',
  },
  { flag: 'run', placeholder: 'RUN', help: 'the id, the name or the folder of the run that it is of', shown: 'none' },
  {
    flag: 'tz',
    placeholder: 'ZONE',
    help: 'the time zone of its timestamps, such as Europe/Berlin',
    shown: "this machine's",
  },
];

/** What the tasks of `db` take. */
const DB_FLAGS: readonly Flag[] = [
  {
    flag: 'format',
    placeholder: 'FORMAT',
    help: 'of info: text or json; of export: csv or ndjson',
    shown: 'text, csv',
  },
  { flag: 'from', placeholder: 'MOMENT', help: 'export: the first moment, such as 2026-01-31T12:00:00Z', shown: 'all' },
  { flag: 'to', placeholder: 'MOMENT', help: 'export: the moment up to which, itself not included', shown: 'all' },
  { flag: 'out', placeholder: 'FILE', help: 'export: the file to write, - for the terminal', shown: '-' },
];

const COMMANDS = {
  serve: {
    does: 'watches runs, GPUs and the host; serves the dashboard, REST and WebSocket',
    words: '[options]',
    options: EVERY_OPTION,
  },
  demo: {
    does: 'the same on simulated training and a simulated A100, at many times real speed',
    words: '[options]',
    options: EVERY_OPTION.filter((option) => !SIMULATED.includes(option)),
  },
  run: {
    does: 'runs a training as it runs without us, and keeps its console log, pid and exit code',
    words: '[options] -- COMMAND…',
    options: [OPTIONS.db],
  },
  doctor: {
    does: 'says what is there and what is missing, and what to do about it; exit 1 when something is a problem',
    words: '[options]',
    options: [
      FORMAT,
      ...[OPTIONS.watch, OPTIONS.db, OPTIONS.host, OPTIONS.port, OPTIONS.tokenFile],
      ...[OPTIONS.gpu, OPTIONS.nvidiaSmi, OPTIONS.nvml, OPTIONS.gpuInterval],
    ],
  },
  import: {
    does: 'takes a log that nvidia-smi wrote into the history of a run; a second import of it adds nothing',
    words: '--gpu-log FILE --run RUN [options]',
    options: [...LOG, OPTIONS.db, OPTIONS.tokenFile],
  },
  db: {
    does: 'looks after the history: info, check, backup TARGET, export SUBJECT|RUN, vacuum or salvage',
    words: 'TASK [TARGET|SUBJECT|RUN] [options]',
    options: [OPTIONS.db, ...DB_FLAGS],
  },
} as const satisfies Record<string, { does: string; words: string; options: readonly Flag[] }>;

export type Command = keyof typeof COMMANDS;

export const isCommand = (word: string): word is Command => word in COMMANDS;

/** The names of all commands, for an error that says what is allowed. */
export const commandNames = Object.keys(COMMANDS).join(', ');

/** What a command takes, in the order in which help lists it. */
export const optionsOf = (command: Command): readonly Flag[] => COMMANDS[command].options;

/** `signalbox --help`. */
export const generalHelp = (): string => `Signalbox: live telemetry for training runs.

Usage: signalbox COMMAND [options]

${columns(Object.entries(COMMANDS).map(([name, { does }]) => [name, does]))}

signalbox COMMAND --help lists the options of a command; --version prints the version.
In a checkout: "npm start -- --watch DIR" is serve, "npm run demo" is demo.
`;

/** `signalbox COMMAND --help`. */
export const commandHelp = (command: Command): string => {
  const { does, words } = COMMANDS[command];
  const options = optionsOf(command).map((option) => [
    `--${option.flag} ${option.placeholder}`,
    `${option.help} [${option.shown}]`,
  ]);
  return `signalbox ${command}: ${does}.

Usage: signalbox ${command} ${words}

${columns([...options, ['--config FILE', 'settings from a YAML file (./signalbox.yaml when there is one)']])}

In brackets: what holds without the option. Each is also a variable and a key of the file: --gpu-interval is
SIGNALBOX_GPU_INTERVAL and gpuInterval. A flag beats the variable, the variable beats the file.
${flagsAlone(command)}`;
};

/** Names the options that are neither a variable nor a key. */
const flagsAlone = (command: Command): string => {
  const settings: readonly Flag[] = Object.values(OPTIONS);
  const names = optionsOf(command).flatMap((option) => (settings.includes(option) ? [] : `--${option.flag}`));
  if (names.length === 0) return '';
  return `${names.join(', ')} ${names.length === 1 ? 'is a flag' : 'are flags'} alone.\n`;
};

const columns = (rows: readonly (readonly string[])[]): string => {
  const width = Math.max(...rows.map(([left = '']) => left.length));
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`).join('\n');
};
