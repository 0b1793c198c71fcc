import type { TObject } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import {
  ArgsEventSchema,
  ClassesEventSchema,
  EndEventSchema,
  EpochEventSchema,
  LogEventSchema,
  PhaseEventSchema,
  type RunEvent,
  StartEventSchema,
  StepEventSchema,
} from './trace.ts';

/** What a line of a sidecar, a trace or POST /ingest says, and the run that it names; or what is wrong with it. */
export type EventLine =
  | { readonly event: RunEvent; readonly run: string | null }
  | {
      /** One sentence: what was found where, and what was expected. */
      readonly problem: string;
      /** The line is whole, but of a kind that is not ours (a GPU sample of a trace, a kind of a later version). */
      readonly unknownKind?: string;
    };

/** As long as a line can be that is looked at; 20,000 classes are far below. */
export const MAX_EVENT_LINE_CHARACTERS = 1024 * 1024;

/**
 * Reads one line of NDJSON (CONTRACT 5 and 6). Lenient where nothing is lost by it: fields that we do not know are
 * dropped, `t` may be missing, Python's bare NaN and Infinity are taken, and what is not finite is a word in a series
 * and unknown everywhere else.
 */
export const parseEventLine = (line: string): EventLine => {
  if (line.length > MAX_EVENT_LINE_CHARACTERS) {
    return { problem: `${line.length} characters, expected at most ${MAX_EVENT_LINE_CHARACTERS}` };
  }
  const fields = parseObject(line);
  if (fields === null) return { problem: `${quote(line)} is not a JSON object` };
  const kind = typeof fields.kind === 'string' ? fields.kind : null;
  if (kind === null) return { problem: `kind: ${quote(fields.kind)} is not one of ${KINDS.join(', ')}` };
  if (!isKnownKind(kind)) {
    return { problem: `kind: ${quote(kind)} is not one of ${KINDS.join(', ')}`, unknownKind: kind };
  }
  const { run } = fields;
  if (run !== undefined && run !== null && typeof run !== 'string') return { problem: 'run: expected a string' };
  const read = readFields(kind, fields);
  return 'problem' in read ? read : { event: read.event, run: run ?? null };
};

const SCHEMAS = {
  start: StartEventSchema,
  batch: StepEventSchema,
  classes: ClassesEventSchema,
  phase: PhaseEventSchema,
  end: EndEventSchema,
  args: ArgsEventSchema,
  epoch: EpochEventSchema,
  log: LogEventSchema,
} as const;
type Kind = keyof typeof SCHEMAS;
const KINDS = Object.keys(SCHEMAS);
const isKnownKind = (kind: string): kind is Kind => KINDS.includes(kind);

/** Compiled at first use: all of them together take 30 ms. */
const compiled = new Map<Kind, Validator>();
const validatorOf = (kind: Kind): Validator => {
  const known = compiled.get(kind);
  if (known !== undefined) return known;
  const validator = Compile(SCHEMAS[kind]);
  compiled.set(kind, validator);
  return validator;
};

type Fields = Readonly<Record<string, unknown>>;

const readFields = (kind: Kind, found: Fields): { readonly event: RunEvent } | { readonly problem: string } => {
  const schema: TObject = SCHEMAS[kind];
  const known = new Set(kind === 'args' ? Object.keys(found) : Object.keys(schema.properties));
  const fields: Record<string, unknown> = { t: null };
  for (const [name, value] of Object.entries(found)) {
    if (known.has(name) && name !== 'run' && name !== '__proto__') fields[name] = readValue(name, value);
  }
  const validator = validatorOf(kind);
  if (validator.Check(fields)) return { event: believed(fields) };
  const failing = validator.Errors(fields);
  for (const { instancePath } of failing) {
    const name = topOf(instancePath);
    if (isNotFinite(fields[name]) && !schema.required?.includes(name)) delete fields[name];
  }
  if (validator.Check(fields)) return { event: believed(fields) };
  const first = validator.Errors(fields)[0];
  const place = first === undefined || first.instancePath === '' ? kind : first.instancePath.slice(1);
  return { problem: `${place}: ${first?.message ?? 'is not as expected'}` };
};

const topOf = (instancePath: string): string => instancePath.split('/')[1] ?? '';

/** Only what a validator of {@link SCHEMAS} took comes here. */
const believed = (fields: unknown): RunEvent => fields as RunEvent;

const MAX_LINE = 4096;
const MAX_NAME = 256;

const readValue = (name: string, value: unknown): unknown => {
  if (name === 't' && typeof value === 'number') return Number.isFinite(value) ? Math.round(value) : null;
  if (typeof value === 'string') return name === 'line' || name === 'error' ? value.slice(0, MAX_LINE) : value;
  return isObject(value) ? readNamed(value) : value;
};

/**
 * Values by class or metric. Names come from outside: line ends in them would pass by the schema's pattern, and
 * `__proto__` is dropped, so that nobody who copies them by name can be tricked.
 */
const readNamed = (values: Fields): Fields =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => name !== '__proto__')
      .map(([name, value]) => [name.replace(/\s+/g, ' ').slice(0, MAX_NAME), nonFiniteWord(value) ?? value]),
  );

const WORDS: ReadonlyMap<string, string> = new Map([
  ['nan', 'nan'],
  ['inf', 'inf'],
  ['infinity', 'inf'],
  ['-inf', '-inf'],
  ['-infinity', '-inf'],
]);

/** The word of the model for a value that is not finite, in whatever way it was written; null for everything else. */
const nonFiniteWord = (value: unknown): string | null => {
  const isText = typeof value === 'string' || (typeof value === 'number' && !Number.isFinite(value));
  return isText ? (WORDS.get(String(value).toLowerCase()) ?? null) : null;
};

const isNotFinite = (value: unknown): boolean => nonFiniteWord(value) !== null;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseObject = (line: string): Fields | null => {
  const value = parseJson(line) ?? parseJson(line.replace(BARE_WORDS, quoteBareWord));
  return isObject(value) ? value : null;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * A string, so that its inside is passed over, or one of the words that Python's json writes without quotes. A string
 * without an end is taken as well: to search on behind each of its quotes would take hostile lines minutes.
 */
const BARE_WORDS = /"(?:[^"\\]|\\[\s\S])*"?|-?\b(?:NaN|Infinity)\b/g;
const quoteBareWord = (found: string): string => (found.startsWith('"') ? found : `"${found}"`);

const quote = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};
