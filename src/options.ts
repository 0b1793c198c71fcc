import { delimiter, resolve } from 'node:path';
import { DEFAULT_RETENTION, type Retention } from './core/retention.ts';
import { RETENTION_SHOWN, readRetention } from './retention-option.ts';

/** What the service runs with, after flags, environment, file and defaults. Durations in ms, paths absolute. */
export type Settings = {
  readonly watch: readonly string[];
  readonly db: string;
  readonly retention: Retention;
  readonly host: string;
  readonly port: number;
  readonly gpu: 'auto' | 'nvml' | 'nvidia-smi' | 'off';
  readonly nvml: string | null;
  readonly nvidiaSmi: string | null;
  readonly gpuInterval: number;
  readonly hostInterval: number;
  /** Absolute globs of console logs that lie outside of the run folders. */
  readonly logs: readonly string[];
  readonly polling: 'auto' | 'always';
  readonly record: string | null;
  readonly tokenFile: string | null;
  readonly token: string | null;
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
};

export type OptionName = Exclude<keyof Settings, 'token'>;

/** Ends the reading of an option with what is allowed instead: `is not a port; use 0 to 65535`. */
type Reject = (allowed: string) => never;

/** One option of `serve`. The same entry is its flag, its variable, its key in the file, its help and its docs. */
export type Option = {
  readonly flag: string;
  readonly placeholder: string;
  readonly help: string;
  readonly repeatable?: true;
  /** Only a key of the file: lists that nobody types. */
  readonly fileOnly?: true;
  /** The default as help shows it. */
  readonly shown: string;
  readonly default: (folder: string) => unknown;
  /** `base` is the folder that relative paths start from. */
  readonly read: (value: unknown, reject: Reject, base: string) => unknown;
};

const ANY_ADDRESS = /^[A-Za-z0-9.:_-]+$/;

const text = (value: unknown, reject: Reject): string =>
  typeof value === 'string' && value !== '' ? value : reject('is not a text; give one value');

const path = (value: unknown, reject: Reject, base: string): string => resolve(base, text(value, reject));

const list = (value: unknown, reject: Reject): string[] => {
  const items = Array.isArray(value) ? value : [value];
  return items.map((item) => (typeof item === 'string' && item !== '' ? item : reject('is not a list of texts')));
};

const wholeNumber = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `500ms`, `1s`, `2m` in milliseconds. */
const duration = (value: unknown, reject: Reject): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(value));
  const unit = match?.[2];
  if (!match || (unit !== 'ms' && unit !== 's' && unit !== 'm' && unit !== 'h')) {
    return reject('is not a duration; use for example 500ms or 1s');
  }
  const ms = Number(match[1]) * UNITS[unit];
  return ms >= 100 && ms <= 60_000 ? ms : reject('is out of range; use 100ms to 60s');
};

const interval = (flag: string, what: string): Option => ({
  flag,
  placeholder: 'DURATION',
  help: `how often ${what} sampled, 100ms to 60s`,
  shown: '1s',
  default: () => 1000,
  read: duration,
});

/** Every option of `serve`, in the order in which help lists them. */
export const OPTIONS: Readonly<Record<OptionName, Option>> = {
  watch: {
    flag: 'watch',
    placeholder: 'DIR',
    help: 'folder searched for runs at any depth; may appear later; repeatable',
    repeatable: true,
    shown: './runs',
    default: (folder) => [resolve(folder, 'runs')],
    read: (value, reject, base) =>
      list(typeof value === 'string' ? value.split(delimiter) : value, reject).map((dir) => resolve(base, dir)),
  },
  db: {
    flag: 'db',
    placeholder: 'FILE',
    help: 'the history: an SQLite file, created and migrated on start',
    shown: './data/signalbox.db',
    default: (folder) => resolve(folder, 'data/signalbox.db'),
    read: path,
  },
  retention: {
    flag: 'retention',
    placeholder: 'AGES',
    help: 'how long samples, 60 s and 1 h rollups are kept, and how large the database may be',
    shown: RETENTION_SHOWN,
    default: () => DEFAULT_RETENTION,
    read: readRetention,
  },
  host: {
    flag: 'host',
    placeholder: 'ADDRESS',
    help: 'address to listen on; anything but loopback needs a token',
    shown: '127.0.0.1',
    default: () => '127.0.0.1',
    read: (value, reject) => {
      const address = text(value, reject);
      return ANY_ADDRESS.test(address) ? address : reject('is not an address; use for example 127.0.0.1 or 0.0.0.0');
    },
  },
  port: {
    flag: 'port',
    placeholder: 'NUMBER',
    help: 'port to listen on; 0 takes a free one',
    shown: '4747',
    default: () => 4747,
    read: (value, reject) => {
      const port = wholeNumber(value);
      return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : reject('is not a port; use 0 to 65535');
    },
  },
  gpu: {
    flag: 'gpu',
    placeholder: 'SOURCE',
    help: 'where GPU figures come from: auto, nvml, nvidia-smi or off',
    shown: 'auto',
    default: () => 'auto',
    read: (value, reject) =>
      value === 'auto' || value === 'nvml' || value === 'nvidia-smi' || value === 'off'
        ? value
        : reject('is not a GPU source; use auto, nvml, nvidia-smi or off'),
  },
  nvml: {
    flag: 'nvml',
    placeholder: 'PATH',
    help: "the driver's library, libnvidia-ml.so.1",
    shown: 'found by the loader',
    default: () => null,
    read: path,
  },
  nvidiaSmi: {
    flag: 'nvidia-smi',
    placeholder: 'PATH',
    help: 'the nvidia-smi program',
    shown: 'found on PATH',
    default: () => null,
    read: path,
  },
  gpuInterval: interval('gpu-interval', 'GPUs are'),
  hostInterval: interval('host-interval', 'the host is'),
  logs: {
    flag: 'logs',
    placeholder: 'GLOBS',
    help: 'console logs that lie outside of the run folders',
    fileOnly: true,
    shown: 'none',
    default: () => [],
    read: (value, reject, base) => list(value, reject).map((glob) => resolve(base, glob)),
  },
  polling: {
    flag: 'polling',
    placeholder: 'WHEN',
    help: 'auto takes hints of changes where the file system gives them; always only looks by the clock',
    shown: 'auto',
    default: () => 'auto',
    read: (value, reject) =>
      value === 'auto' || value === 'always' ? value : reject('is not a way of watching; use auto or always'),
  },
  record: {
    flag: 'record',
    placeholder: 'FILE',
    help: 'writes a trace of everything collected, for replay',
    shown: 'none',
    default: () => null,
    read: path,
  },
  tokenFile: {
    flag: 'token-file',
    placeholder: 'FILE',
    help: 'file with the bearer token that clients must show (or SIGNALBOX_TOKEN)',
    shown: 'none',
    default: () => null,
    read: path,
  },
  hosts: {
    flag: 'hosts',
    placeholder: 'NAMES',
    help: 'further names under which the service may be called (Host header)',
    fileOnly: true,
    shown: 'none',
    default: () => [],
    read: list,
  },
  origins: {
    flag: 'origins',
    placeholder: 'ORIGINS',
    help: 'further web origins that may call the service',
    fileOnly: true,
    shown: 'none',
    default: () => [],
    read: list,
  },
};

/** True for addresses that only this machine reaches. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
