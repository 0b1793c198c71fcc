import { parseDocument } from 'yaml';

/** Plain JSON values by name. */
export type Args = Readonly<Record<string, unknown>>;

/** The values of an args file, or why there are none. */
export type ParsedArgs =
  | { readonly args: Args; readonly problem: null }
  | { readonly args: null; readonly problem: string };

/** No args file is larger: real ones have 1 to 5 KB. */
export const MAX_ARGS_BYTES = 256 * 1024;

const MAX_ALIASES = 100;

/**
 * Reads `args.yaml` (Ultralytics), `opt.yaml` or `hyp.yaml` (YOLOv5, v7, v9) into plain JSON values. Never throws: a
 * broken file costs a run its arguments and nothing else. Tags of Python objects, as in some `opt.yaml`, are read as
 * the values that they carry; numbers that JSON cannot hold become null. `yes` and `on` are words: PyYAML, which writes
 * these files, writes `true`. Of a file whose end is missing or NUL bytes (a crash) the complete lines are read.
 */
export const parseArgs = (text: string): ParsedArgs => {
  if (Buffer.byteLength(text) > MAX_ARGS_BYTES) return refuse(`expected at most ${MAX_ARGS_BYTES} bytes`);
  const [written = ''] = text.split('\0', 1);
  const parsed = parseYaml(written);
  const complete = written.slice(0, written.lastIndexOf('\n') + 1);
  return parsed.args === null && complete !== '' && complete !== written ? parseYaml(complete) : parsed;
};

/**
 * The arguments of a YOLOv5, v7 or v9 run with its hyperparameters under their own names. They stand in `hyp.yaml`
 * (`hyp`), or in `opt.yaml` itself, where `hyp:` is otherwise a path. A name in both is the one of `opt.yaml`.
 */
export const withHyperparameters = (opt: Args, hyp: Args | null): Args => ({
  ...hyp,
  ...(isMapping(opt.hyp) && opt.hyp),
  ...opt,
});

const parseYaml = (text: string): ParsedArgs => {
  try {
    const document = parseDocument(text, { schema: 'core', customTags: [], uniqueKeys: false, logLevel: 'silent' });
    const [error] = document.errors;
    if (error) return refuse(firstLine(error.message));
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    if (!isMapping(value)) return refuse(`expected keys with values, found ${describe(value)}`);
    return { args: toJson(value), problem: null };
  } catch (error) {
    // An alias bomb, or nesting deeper than the stack.
    return refuse(error instanceof Error ? firstLine(error.message) : String(error));
  }
};

const refuse = (problem: string): ParsedArgs => ({ args: null, problem });

const firstLine = (message: string): string => message.split('\n', 1)[0] ?? message;

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const describe = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
};

const toJson = (value: Record<string, unknown>): Args => JSON.parse(JSON.stringify(value));
