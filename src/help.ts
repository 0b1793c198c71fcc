import { OPTIONS } from './options.ts';

const COMMANDS = {
  serve: 'watches runs, GPUs and the host; serves the dashboard, REST and WebSocket',
  demo: 'the same on simulated training and a simulated A100, at many times real speed',
} as const;

/** Options that the demo sets itself: its runs, its GPU and a history that is thrown away at the end. */
const SIMULATED: ReadonlySet<string> = new Set(['watch', 'db', 'gpu', 'nvidia-smi']);

export type Command = keyof typeof COMMANDS;

export const isCommand = (word: string): word is Command => word in COMMANDS;

/** The names of all commands, for an error that says what is allowed. */
export const commandNames = Object.keys(COMMANDS).join(', ');

/** `signalbox --help`. */
export const generalHelp = (): string => `Signalbox: live telemetry for training runs.

Usage: signalbox COMMAND [options]

${columns(Object.entries(COMMANDS))}

signalbox COMMAND --help lists the options of a command; --version prints the version.
In a checkout: "npm start -- --watch DIR" is serve, "npm run demo" is demo.
`;

/** `signalbox COMMAND --help`. */
export const commandHelp = (command: Command): string => {
  const options = Object.values(OPTIONS)
    .filter((option) => !option.fileOnly && !(command === 'demo' && SIMULATED.has(option.flag)))
    .map((option) => [`--${option.flag} ${option.placeholder}`, `${option.help} [${option.shown}]`]);
  return `signalbox ${command}: ${COMMANDS[command]}.

Usage: signalbox ${command} [options]

${columns([...options, ['--config FILE', 'settings from a YAML file (./signalbox.yaml when there is one)']])}

In brackets: what holds without the option. Each is also a variable and a key of the file: --gpu-interval is
SIGNALBOX_GPU_INTERVAL and gpuInterval. A flag beats the variable, the variable beats the file.
`;
};

const columns = (rows: readonly (readonly string[])[]): string => {
  const width = Math.max(...rows.map(([left = '']) => left.length));
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`).join('\n');
};
