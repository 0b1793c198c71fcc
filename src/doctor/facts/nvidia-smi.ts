import { chooseFields, createGpuRowParser, FIELDS_OF_METRIC, parseKnownFields } from '../../collectors/gpu/csv.ts';
import { explainSmiFailure, saysNoGpu } from '../../collectors/gpu/smi-errors.ts';
import type { ProgramAnswer } from '../program.ts';

/** What the program nvidia-smi answers. */
export type SmiFacts =
  | { readonly kind: 'missing'; readonly code: string }
  | { readonly kind: 'hung'; readonly afterMs: number; readonly asked: string }
  | { readonly kind: 'failing'; readonly why: string }
  | { readonly kind: 'no-gpu' }
  | {
      readonly kind: 'answers';
      readonly driver: string | null;
      readonly gpus: readonly { readonly index: number; readonly name: string | null }[];
      /** Metrics of which this program knows no field. */
      readonly withoutField: readonly string[];
      /** How long one query of all fields took. */
      readonly tookMs: number;
    };

/** Asks which fields it knows and then, once, for all that the service would ask. */
export const readNvidiaSmi = async (ask: (args: readonly string[]) => Promise<ProgramAnswer>): Promise<SmiFacts> => {
  const help = await ask(['--help-query-gpu']);
  if (help.kind === 'missing') return help;
  if (help.kind === 'hung') return { ...help, asked: '--help-query-gpu' };
  const known = parseKnownFields(help.output);
  const fields = chooseFields(known);
  if (fields.length === 0) return { kind: 'failing', why: explainSmiFailure(help.code, help.output) };
  const query = await ask([`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']);
  if (query.kind === 'missing') return query;
  if (query.kind === 'hung') return { ...query, asked: '--query-gpu' };
  const parse = createGpuRowParser(fields);
  const rows = query.output.split('\n').flatMap((line) => parse(line) ?? []);
  if (rows.length === 0) {
    return saysNoGpu(query.output)
      ? { kind: 'no-gpu' }
      : { kind: 'failing', why: explainSmiFailure(query.code, query.output) };
  }
  return {
    kind: 'answers',
    driver: rows.find(({ gpu }) => gpu.driver !== null)?.gpu.driver ?? null,
    gpus: rows.map(({ index, gpu }) => ({ index, name: gpu.name })),
    withoutField: Object.entries(FIELDS_OF_METRIC).flatMap(([metric, candidates]) =>
      candidates.some((field) => known.has(field)) ? [] : [metric],
    ),
    tookMs: query.tookMs,
  };
};
