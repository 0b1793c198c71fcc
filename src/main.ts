import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pino from 'pino';
import { type App, type Surroundings, startApp } from './app.ts';
import { ConfigError, readSettings } from './config.ts';
import { systemClock } from './core/clock.ts';
import { startDemo } from './demo.ts';
import { type Command, commandHelp, commandNames, generalHelp, isCommand } from './help.ts';
import { OPTIONS, type Settings } from './options.ts';
import { describeStart } from './start-words.ts';

/** How long a clean end may take before we leave all the same. */
const CLOSE_WITHIN_MS = 4500;

const main = async (argv: readonly string[]): Promise<void> => {
  const [word, ...rest] = argv;
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') return print(generalHelp());
  if (word === '--version' || word === '-v') return print(`${version()}\n`);
  if (!isCommand(word)) throw new ConfigError(`"${word}" is not a command; use one of ${commandNames}, or --help`);

  const flags = readFlags(rest);
  if (flags.help === true) return print(commandHelp(word));
  const folder = process.env.INIT_CWD ?? process.cwd();
  const settings = readSettings({ flags: stringsOf(flags), environment: process.env, folder });
  await run(word, settings);
};

const run = async (command: Command, settings: Settings): Promise<void> => {
  const root = packageRoot();
  const log = pino({ base: { pid: process.pid } });
  const around: Surroundings =
    command === 'demo'
      ? await startDemo(settings, root)
      : { settings, clock: systemClock, simulated: null, procfs: '/proc', stop: null };
  const app = await startApp(around, { root, version: version(), hostName: hostname(), log });
  endOnSignals(app);
  log.info({ url: app.url, db: around.settings.db, watch: around.settings.watch }, 'listening');
  if (process.stderr.isTTY) {
    const { SSH_CONNECTION: ssh, USER: user } = process.env;
    process.stderr.write(describeStart(await app.firstLook(), { ssh: ssh !== undefined, user: user ?? null }));
  }
};

/** SIGTERM or SIGINT: a clean end, exit 0; a second one, or an end that takes too long, leaves at once. */
const endOnSignals = (app: App): void => {
  let ending = false;
  const end = () => {
    if (ending) process.exit(1);
    ending = true;
    setTimeout(() => process.exit(1), CLOSE_WITHIN_MS).unref();
    app.close().then(
      () => process.exit(0),
      (error) => fail(error),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
};

const readFlags = (args: readonly string[]) => {
  const known = Object.fromEntries(
    Object.values(OPTIONS)
      .filter((option) => !option.fileOnly)
      .map((option) => [option.flag, { type: 'string', multiple: option.repeatable ?? false } as const]),
  );
  try {
    return parseArgs({
      args: [...args],
      options: { ...known, config: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: false,
    }).values as Record<string, string | string[] | boolean | undefined>;
  } catch (error) {
    const message = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new ConfigError(`${message}; --help lists what is allowed`);
  }
};

const stringsOf = (flags: Readonly<Record<string, string | string[] | boolean | undefined>>) =>
  Object.fromEntries(
    Object.entries(flags).filter((entry): entry is [string, string | string[]] => {
      const [, value] = entry;
      return typeof value === 'string' || Array.isArray(value);
    }),
  );

/** The folder of our package.json: the checkout, or the installed package. */
const packageRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = resolve(folder, '..');
  return folder;
};

const version = (): string => JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version;

const print = (text: string): void => {
  process.stdout.write(text);
};

/** One line on stderr: exit 2 for what the user can mend in the command, 1 for what the machine refuses. */
const fail = (error: unknown): void => {
  const message = error instanceof Error ? error.message : String(error);
  const expected = error instanceof Error && EXPECTED_ERRORS.includes(error.name);
  process.stderr.write(`signalbox: ${expected || !(error instanceof Error) ? message : error.stack}\n`);
  process.exit(error instanceof ConfigError ? 2 : 1);
};

const EXPECTED_ERRORS = ['ConfigError', 'StoreError', 'ListenError'];

main(process.argv.slice(2)).catch(fail);
