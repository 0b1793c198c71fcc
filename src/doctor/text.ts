import { styleText } from 'node:util';
import { type Check, GROUPS, type Status } from './check.ts';
import type { Report } from './doctor.ts';
import { counted } from './wording.ts';

/** `width` in characters; `colour` for a terminal that shows it. */
export type Look = { readonly width: number; readonly colour: boolean };

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', unknown: 'cyan' } as const;
const STATUS_WIDTH = 'warning'.length;
const LEAST_WIDTH = 60;
/** With less room there is no column for the titles. */
const WIDTH_FOR_TITLES = 96;
const MARGIN = '  ';

/** The report for a person at a terminal: what was looked at, how it is, and what to do. */
export const renderText = (report: Report, { width, colour }: Look): string => {
  const paint = (status: Status | 'heading', text: string): string =>
    colour ? styleText(status === 'heading' ? 'bold' : COLOURS[status], text, { validateStream: false }) : text;
  const room = Math.max(width, LEAST_WIDTH);
  const titles = room >= WIDTH_FOR_TITLES ? Math.max(...report.checks.map(({ title }) => title.length)) : null;
  const groups = Map.groupBy(report.checks, ({ group }) => group);
  const blocks = [...groups].map(([group, checks]) =>
    [paint('heading', GROUPS[group]), ...checks.flatMap((each) => linesOf(each, { room, titles, paint }))].join('\n'),
  );
  return `${[`Signalbox ${report.version} on ${report.system}`, ...blocks, wrap(summary(report), room).join('\n')].join('\n\n')}\n`;
};

type Layout = {
  readonly room: number;
  readonly titles: number | null;
  readonly paint: (status: Status | 'heading', text: string) => string;
};

const linesOf = (check: Check, { room, titles, paint }: Layout): readonly string[] => {
  const before = `${MARGIN}${check.status.padEnd(STATUS_WIDTH)}${MARGIN}`;
  const status = `${MARGIN}${paint(check.status, check.status.padEnd(STATUS_WIDTH))}${MARGIN}`;
  const title = titles === null ? `${check.title}: ` : `${check.title.padEnd(titles)}${MARGIN}`;
  const indent = ' '.repeat(titles === null ? before.length : before.length + title.length);
  const body = titles === null ? title + check.says : check.says;
  const [first = '', ...more] = wrap(body, room - indent.length);
  const under = (text: string, mark: string): readonly string[] =>
    wrap(text, room - indent.length - mark.length).map(
      (line, place) => indent + (place === 0 ? mark : ' '.repeat(mark.length)) + line,
    );
  return [
    status + (titles === null ? '' : title) + first,
    ...more.map((line) => indent + line),
    ...check.details.flatMap((line) => under(line, '· ')),
    ...check.fix.flatMap((line) => under(line, '→ ')),
  ];
};

/** Breaks between words; a word that is longer than the room stays whole, so that it can be copied. */
export const wrap = (text: string, room: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
};

const summary = ({ checks }: Report): string => {
  const count = (status: Status): number => checks.filter((check) => check.status === status).length;
  const said = [
    counted(count('problem'), 'problem'),
    counted(count('warning'), 'warning'),
    ...(count('unknown') === 0 ? [] : [`${count('unknown')} unknown`]),
  ];
  return `${said.join(', ')}. To ask for help, paste what --format issue prints: no paths or names of yours are in it.`;
};
