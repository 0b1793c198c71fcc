import { resolve } from 'node:path';
import { ConfigError } from '../config.ts';

/** What `signalbox db` is asked to do. Paths absolute, moments in ms. */
export type Request =
  | { readonly task: 'info'; readonly format: 'text' | 'json' }
  | { readonly task: 'check' }
  | { readonly task: 'vacuum' }
  | { readonly task: 'salvage' }
  | { readonly task: 'backup'; readonly target: string }
  | {
      readonly task: 'export';
      readonly what: string;
      readonly format: 'csv' | 'ndjson';
      readonly from: number;
      readonly to: number;
      /** null: to stdout. */
      readonly out: string | null;
    };

export type RequestFlags = Readonly<Partial<Record<'format' | 'from' | 'to' | 'out', string>>>;

const TASKS = ['info', 'check', 'backup', 'export', 'vacuum', 'salvage'] as const;
type Task = (typeof TASKS)[number];

/** Reads the words behind `db`, and the flags. Throws {@link ConfigError}. */
export const readRequest = (words: readonly string[], flags: RequestFlags, folder: string): Request => {
  const [task, operand, ...rest] = words;
  if (!isTask(task)) {
    throw new ConfigError(
      `db: ${task === undefined ? 'the task is missing' : `"${task}" is not a task`}; use ${TASKS.join(', ')}`,
    );
  }
  const takes = task === 'backup' || task === 'export';
  const [surplus] = takes ? rest : [operand, ...rest];
  if (surplus !== undefined) throw new ConfigError(`db ${task}: "${surplus}" is one word too many`);
  for (const flag of ['format', 'from', 'to', 'out'] as const) {
    const isTaken = task === 'export' || (task === 'info' && flag === 'format');
    if (flags[flag] !== undefined && !isTaken) throw new ConfigError(`db ${task}: takes no --${flag}`);
  }
  switch (task) {
    case 'check':
    case 'vacuum':
    case 'salvage':
      return { task };
    case 'info':
      return { task, format: formatOf(flags.format ?? 'text', ['text', 'json']) };
    case 'backup':
      if (operand === undefined) throw new ConfigError('db backup: the file is missing: signalbox db backup TARGET');
      return { task, target: resolve(folder, operand) };
    case 'export': {
      if (operand === undefined) {
        throw new ConfigError('db export: what is missing is a subject or a run: signalbox db export gpu:0');
      }
      return {
        ...{ task, what: operand, format: formatOf(flags.format ?? 'csv', ['csv', 'ndjson']) },
        from: momentOf('from', flags.from) ?? Number.NEGATIVE_INFINITY,
        to: momentOf('to', flags.to) ?? Number.POSITIVE_INFINITY,
        out: flags.out === undefined || flags.out === '-' ? null : resolve(folder, flags.out),
      };
    }
  }
};

const isTask = (word: string | undefined): word is Task => TASKS.some((task) => task === word);

const formatOf = <F extends string>(word: string, formats: readonly F[]): F => {
  const format = formats.find((format) => format === word);
  if (format === undefined) throw new ConfigError(`--format: "${word}" is not a format; use ${formats.join(' or ')}`);
  return format;
};

const momentOf = (flag: string, text: string | undefined): number | null => {
  if (text === undefined) return null;
  const moment = /^\d{9,}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(moment)) {
    throw new ConfigError(
      `--${flag}: "${text}" is not a moment; use for example 2026-01-31T12:00:00Z, or milliseconds`,
    );
  }
  return moment;
};
