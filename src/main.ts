import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir, hostname, release, type, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pino from 'pino';
import type { App, Surroundings } from './app.ts';
import { ConfigError, readSettings } from './config.ts';
import { systemClock } from './core/clock.ts';
import { isZone } from './core/zone.ts';
import { startDemo } from './demo.ts';
import { type Command, commandHelp, commandNames, type Flag, generalHelp, isCommand, optionsOf } from './help.ts';
import { launch } from './launch/launch.ts';
import { isLoopback, OPTIONS, type Settings } from './options.ts';

/** How long a clean end may take before we leave all the same. */
const CLOSE_WITHIN_MS = 4500;
const ASKED_TWICE_MS = 1000;

const main = async (argv: readonly string[]): Promise<void> => {
  const [word, ...rest] = argv;
  if (word === undefined || word === '--help' || word === '-h' || word === 'help') return print(generalHelp());
  if (word === '--version' || word === '-v') return print(`${version()}\n`);
  if (word.startsWith('-')) throw new ConfigError(`options follow a command: signalbox serve ${word} …`);
  if (!isCommand(word)) throw new ConfigError(`"${word}" is not a command; use one of ${commandNames}, or --help`);

  if (word === 'run') return await runTraining(rest);
  if (word === 'doctor') return await examineMachine(rest);
  if (word === 'db') return await careForHistory(rest);
  if (word === 'import') return await importLog(rest);

  const flags = readFlags(rest, Object.values(OPTIONS));
  if (flags.help === true) return print(commandHelp(word));
  await runService(word, settingsFrom(flags));
};

/** Ends with the training's own exit code. */
const runTraining = async (args: readonly string[]): Promise<void> => {
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const command = dashes === -1 ? [] : args.slice(dashes + 1);
  if (own.includes('--help') || own.includes('-h')) return print(commandHelp('run'));
  if (command.length === 0) {
    throw new ConfigError('run: the command is missing; it stands behind "--": signalbox run -- python train.py');
  }
  if (process.platform === 'win32') {
    throw new ConfigError('run: needs Linux or macOS; start the training by itself, "serve" finds what it writes');
  }
  const { db } = settingsFrom(readFlags(own, optionsOf('run')));
  const status = await launch({
    command,
    cwd: calledFrom(),
    launches: join(dirname(db), 'launches'),
    host: hostname(),
    user: userName(),
    startedAt: systemClock.now(),
    environment: process.env,
    signals: { on: (signal, listener) => process.on(signal, listener), send: process.kill },
    warn: (line) => process.stderr.write(`signalbox: ${line}\n`),
  });
  process.exit(status);
};

/** Ends with 1 when something is a problem. */
const examineMachine = async (args: readonly string[]): Promise<void> => {
  const flags = readFlags(args, optionsOf('doctor'));
  if (flags.help === true) return print(commandHelp('doctor'));
  const settings = settingsFrom(flags);
  const { FORMATS, isFormat, runDoctor } = await import('./doctor/command.ts');
  const { LIMITS } = await import('./doctor/options.ts');
  const format = flags.format ?? 'text';
  if (!isFormat(format)) throw new ConfigError(`--format: "${format}" is not a format; use ${FORMATS.join(', ')}`);
  const { stdout, stderr, platform, arch, env: environment } = process;
  const { text, isWell } = await runDoctor({
    ...{ settings, isLoopback: isLoopback(settings.host), limits: LIMITS, clock: systemClock },
    ...{ root: packageRoot(), version: version(), nodeVersion: process.versions.node, platform, arch, environment },
    system: `${type()} ${release()} ${arch}`,
    ...{ uid: process.getuid?.() ?? null, user: userName(), home: homedir(), host: hostname() },
    format,
    look: { width: stdout.columns ?? 100, colour: stdout.hasColors?.() ?? false },
    writeProgress: stderr.isTTY ? (line) => stderr.write(line) : null,
  });
  // At once when it is written: a process that no signal ends may still be ours.
  stdout.write(text, () => process.exit(isWell ? 0 : 1));
};

/** Through the service that has the database, else into the database itself. */
const importLog = async (args: readonly string[]): Promise<void> => {
  const flags = readFlags(args, optionsOf('import'));
  if (flags.help === true) return print(commandHelp('import'));
  const { 'gpu-log': file, run, tz: zone = localZone() } = stringsOf(flags);
  if (typeof file !== 'string' || typeof run !== 'string' || typeof zone !== 'string') {
    throw new ConfigError('import: expected --gpu-log FILE and --run RUN, each once');
  }
  const settings = settingsFrom(flags);
  const folder = calledFrom();
  const request = { file: readable('--gpu-log', resolve(folder, file)), run, runPath: resolve(folder, run), zone };
  if (!isZone(zone)) throw new ConfigError(`--tz: "${zone}" is not a time zone; use for example Europe/Berlin or UTC`);

  const { runImport } = await import('./import/command.ts');
  const { readServiceFile } = await import('./import/service-file.ts');
  const service = readServiceFile(settings.db, isAlive);
  const history =
    service === null
      ? await openHistory(settings.db)
      : (await import('./import/served-history.ts')).createServedHistory({ url: service.url, token: settings.token });
  const { stderr } = process;
  const done = await runImport(request, history, stderr.isTTY ? (line) => stderr.write(line) : null);
  if ('problem' in done) throw new ConfigError(done.problem);
  print(done.text);
};

const openHistory = async (db: string) => {
  const { openStore } = await import('./store/open.ts');
  const { createStoredHistory } = await import('./import/stored-history.ts');
  const store = openStore({ path: readable('--db', db), migrations: join(packageRoot(), 'migrations') });
  return createStoredHistory(store, systemClock.now);
};

const readable = (flag: string, path: string): string => {
  try {
    accessSync(path, constants.R_OK);
    return path;
  } catch (error) {
    throw new ConfigError(`${flag}: ${path} cannot be read (${error instanceof Error ? error.message : error})`);
  }
};

const localZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Also that of another user. */
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

/** Ends with 1 when something is wrong with the database. */
const careForHistory = async (args: readonly string[]): Promise<void> => {
  const { flags, words } = readWords(args, { options: optionsOf('db'), allowWords: true });
  if (flags.help === true) return print(commandHelp('db'));
  const { readRequest } = await import('./db/request.ts');
  const request = readRequest(words, stringsOf(flags), calledFrom());
  const { runDb } = await import('./db/command.ts');
  const { stdout, stderr } = process;
  const isWell = await runDb({
    ...{ request, db: settingsFrom(flags).db, migrations: join(packageRoot(), 'migrations') },
    ...{ now: systemClock.now(), stdout },
    writeProgress: stderr.isTTY ? (text) => stderr.write(text) : null,
  });
  process.exitCode = isWell ? 0 : 1;
};

const runService = async (command: Command, settings: Settings): Promise<void> => {
  // Only here: `run` stays beside a training for days and has no use for the 40 MB of a service.
  const { startApp } = await import('./app.ts');
  const { describeStart } = await import('./start-words.ts');
  const root = packageRoot();
  const log = pino({ base: { pid: process.pid } });
  const stop = new AbortController();
  let app: App | null = null;
  endOnSignals(stop, () => app);
  const around: Surroundings =
    command === 'demo'
      ? await startDemo(settings, root)
      : { settings, clock: systemClock, simulated: null, procfs: '/proc', sysfs: '/sys', stop: null };
  app = await startApp(around, { root, version: version(), hostName: hostname(), log, signal: stop.signal });
  if (stop.signal.aborted) return;
  log.info({ url: app.url, db: around.settings.db, watch: around.settings.watch }, 'listening');
  if (process.stderr.isTTY) {
    const { SSH_CONNECTION: ssh, USER: user } = process.env;
    process.stderr.write(
      describeStart(await app.firstLook(), {
        ssh: ssh !== undefined,
        user: user ?? null,
        folder: calledFrom(),
      }),
    );
  }
};

/**
 * SIGTERM or SIGINT: a clean end, exit 0. One that takes too long, or a person who asks again, leaves at once.
 * `app` is null while it starts: then what it waits for is aborted, and what it has opened ends with the process.
 */
const endOnSignals = (stop: AbortController, app: () => App | null): void => {
  let askedAt: number | null = null;
  const end = () => {
    const now = performance.now();
    // At a terminal npm and the terminal itself each pass Ctrl+C on: that is one wish, not two.
    if (askedAt !== null && now - askedAt > ASKED_TWICE_MS) leave();
    if (askedAt !== null) return;
    askedAt = now;
    setTimeout(leave, CLOSE_WITHIN_MS).unref();
    stop.abort();
    Promise.resolve(app()?.close()).then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
};

/** Without waiting for anything: `process.exit` would wait for a thread that hangs on a disk. */
const leave = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

/** Where npm was called, when it was npm that started us in our own folder; npm further up says nothing of us. */
const calledFrom = (): string => {
  const folder = process.cwd();
  return folder === packageRoot() ? (process.env.INIT_CWD ?? folder) : folder;
};

const settingsFrom = (flags: Flags): Settings =>
  readSettings({ flags: stringsOf(flags), environment: process.env, folder: calledFrom() });

/** Null in a container whose user has no name. */
const userName = (): string | null => {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
};

type Flags = Readonly<Record<string, string | string[] | boolean | undefined>>;

const readFlags = (args: readonly string[], options: readonly Flag[]): Flags =>
  readWords(args, { options, allowWords: false }).flags;

/** The flags, and the words that stand between them. */
const readWords = (
  args: readonly string[],
  { options, allowWords }: { readonly options: readonly Flag[]; readonly allowWords: boolean },
): { readonly flags: Flags; readonly words: readonly string[] } => {
  const known = Object.fromEntries(
    options
      .filter((option) => !option.fileOnly)
      .map((option) => [option.flag, { type: 'string', multiple: option.repeatable ?? false } as const]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...known, config: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: allowWords,
    });
    return { flags: values as Flags, words: positionals };
  } catch (error) {
    const message = error instanceof Error ? error.message.split(/\.\s|\n/)[0] : String(error);
    const positional =
      error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL';
    throw new ConfigError(
      `${message}; ${positional ? 'a folder is watched by --watch DIR' : '--help lists what is allowed'}`,
    );
  }
};

const stringsOf = (flags: Flags) =>
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

const EXPECTED_ERRORS = ['ConfigError', 'StoreError', 'ListenError', 'GpuLogError', 'ServiceRefusal'];

main(process.argv.slice(2)).catch(fail);
