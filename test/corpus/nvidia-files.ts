import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Real outputs of nvidia-smi, beside the checkout: they may not be copied. */
const FOLDER = '../shared/fixtures/nvidia';

/** One file, named as in the manifest, with its text. */
export type Recorded = { readonly file: string; readonly text: string };

/** The files of one folder whose name fits, in the order of their names. */
export const recorded = (folder: string, name: RegExp): readonly Recorded[] =>
  readdirSync(join(FOLDER, folder))
    .filter((file) => name.test(file))
    .sort()
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(join(FOLDER, folder, file), 'utf8') }));

/** The sections of a capture, such as `load :: query-gpu (csv, what the exporter parses)`, by title. */
export const sectionsOf = (capture: string): ReadonlyMap<string, string> =>
  new Map(
    [...capture.matchAll(/^# (\S+ :: [^\n]*)\n(?:# \$ [^\n]*\n)?#+\n(.*?)(?=^#{20,}$|$(?!.))/gms)].map(
      ([, title = '', text = '']) => [title, text],
    ),
  );

/** The text of the section whose title begins so; empty where there is none. */
export const sectionOf = (capture: string, title: string): string =>
  [...sectionsOf(capture)].find(([each]) => each.startsWith(title))?.[1] ?? '';

/** A table that nvidia-smi printed as CSV with a header: rows by field, cells without their units, as `nounits` has them. */
export const tableOf = (csv: string): readonly ReadonlyMap<string, string>[] => {
  const lines = csv.split('\n').filter((line) => line.includes(', '));
  const header = lines.findIndex((line) => /\b(index|pid), /.test(line));
  const fields = (lines[header] ?? '').split(', ').map((field) => field.replace(/ \[.*\]$/, ''));
  return lines.slice(header + 1).map((line) => {
    const cells = line.split(', ');
    return new Map(fields.map((field, i) => [field, (cells[i] ?? '').replace(/^(-?[\d.]+) (%|W|MiB|MHz|us)$/, '$1')]));
  });
};
