import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { isLoopback, OPTIONS, type OptionName, type Settings } from './options.ts';

/** A flag, variable or key that cannot be used: name, value and what is allowed, in one line. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** What the outside gives: flags by name, the environment, and the folder that relative paths start from. */
export type Sources = {
  readonly flags: Readonly<Record<string, string | readonly string[]>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
};

/** The file that is read when there is one and no other is named. */
const DEFAULT_FILE = 'signalbox.yaml';
const TOKEN = /^[A-Za-z0-9_-]{8,}$/;

/** Settles every option: flag beats environment beats file beats default. Throws {@link ConfigError}. */
export const readSettings = (sources: Sources): Settings => {
  const { flags, environment, folder } = sources;
  if (flags.config === '') reject('--config', '', 'is not a text; give one value');
  const named = flags.config ?? variableOf(environment, 'SIGNALBOX_CONFIG');
  const file = resolve(folder, typeof named === 'string' ? named : DEFAULT_FILE);
  const keys = readFile(file, named !== undefined);

  const settings: Partial<Record<OptionName, unknown>> = {};
  for (const [name, option] of Object.entries(OPTIONS)) {
    const variable = `SIGNALBOX_${option.flag.replaceAll('-', '_').toUpperCase()}`;
    const candidates = [
      { from: `--${option.flag}`, value: option.fileOnly ? undefined : flags[option.flag], base: folder },
      { from: variable, value: option.fileOnly ? undefined : variableOf(environment, variable), base: folder },
      { from: `${file}: ${name}`, value: keys[name], base: dirname(file) },
    ];
    const given = candidates.find(({ value }) => value !== undefined);
    settings[name as OptionName] = given
      ? option.read(given.value, (allowed) => reject(given.from, given.value, allowed), given.base)
      : option.default(folder);
  }
  // Every key of OPTIONS was read by its own reader.
  const settled = { ...settings, token: readToken(settings.tokenFile, environment, keys.token, file) } as Settings;
  if (!isLoopback(settled.host) && settled.token === null) {
    throw new ConfigError(
      `--host: "${settled.host}" is not loopback, so everybody on the network could read along; ` +
        'set a token with SIGNALBOX_TOKEN or --token-file, or use 127.0.0.1',
    );
  }
  return settled;
};

/** A variable that is empty is as good as none: `SIGNALBOX_PORT= signalbox serve`. */
const variableOf = (environment: Sources['environment'], variable: string): string | undefined =>
  environment[variable] === '' ? undefined : environment[variable];

const reject = (from: string, value: unknown, allowed: string): never => {
  throw new ConfigError(`${from}: ${JSON.stringify(value)} ${allowed}`);
};

const readFile = (file: string, mustExist: boolean): Readonly<Record<string, unknown>> => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!mustExist && error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new ConfigError(`--config: ${file} cannot be read (${error instanceof Error ? error.message : error})`);
  }
  let keys: unknown;
  try {
    // Only errors: what the library warns of is an error here, and is not to be printed by it.
    const document = parseDocument(text, { logLevel: 'error' });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw problem;
    keys = document.toJS() ?? {};
  } catch (error) {
    throw new ConfigError(
      `${file}: is not YAML that can be used (${error instanceof Error ? error.message.split('\n')[0] : error})`,
    );
  }
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) {
    throw new ConfigError(`${file}: expected keys with values, such as "port: 4747"`);
  }
  const known = [...Object.keys(OPTIONS), 'token'];
  for (const key of Object.keys(keys)) {
    if (!known.includes(key)) throw new ConfigError(`${file}: "${key}" is not a key; known are ${known.join(', ')}`);
  }
  return { ...keys };
};

const readToken = (
  tokenFile: unknown,
  environment: Sources['environment'],
  key: unknown,
  file: string,
): string | null => {
  const check = (from: string, token: unknown): string => {
    if (typeof token === 'string' && TOKEN.test(token)) return token;
    // The value itself is a secret: it is not repeated.
    throw new ConfigError(`${from}: a token is at least 8 characters of A-Z, a-z, 0-9, "-" and "_"`);
  };
  if (environment.SIGNALBOX_TOKEN) return check('SIGNALBOX_TOKEN', environment.SIGNALBOX_TOKEN);
  if (typeof tokenFile === 'string') {
    let text: string;
    try {
      text = readFileSync(tokenFile, 'utf8').trim();
    } catch (error) {
      throw new ConfigError(
        `--token-file: ${tokenFile} cannot be read (${error instanceof Error ? error.message : error})`,
      );
    }
    return check(`--token-file ${tokenFile}`, text);
  }
  return key === undefined || key === null ? null : check(`${file}: token`, key);
};
