import type { Run } from '../core/run.ts';
import type { ImportedLog } from './import-gpu-log.ts';

/** What an import came to, for a person: what was taken, what was not and why, and what looks odd. */
export const describeImport = (run: Run, log: ImportedLog, zone: string): string => {
  const { taken, known, gpus, period, passedOver } = log;
  const moment = createMoment(zone);
  const lines = [
    `${count(taken, 'sample')} taken for ${run.name} (${run.id})${known === 0 ? '' : `, ${count(known)} known already`}`,
    `period: ${moment(period.firstAt)} to ${moment(period.lastAt)} (${zone})`,
    ...gpus.map(({ gpu, name, samples }) => {
      const subject = typeof gpu === 'string' ? `gpu:${gpu}` : `import:${run.id}:${gpu}`;
      return `${subject}: ${count(samples, 'sample')}${name === null ? '' : `, ${name}`}`;
    }),
    ...passedOver.map(
      ({ why, lines, firstLine }) => `${count(lines, 'line')} passed over, from line ${firstLine} on: ${why}`,
    ),
  ];
  const { startedAt, endedAt } = run;
  if (startedAt !== null && (period.lastAt < startedAt || (endedAt !== null && period.firstAt >= endedAt))) {
    const end = endedAt === null ? 'now' : moment(endedAt);
    lines.push(
      `note: none of it lies in the time of the run, ${moment(startedAt)} to ${end} by its files, so it is told of the ` +
        'run as a whole only; if the log was written in another time zone, import it with --tz ZONE',
    );
  }
  return `${lines.join('\n')}\n`;
};

/** A line that overwrites itself. */
export const describeProgress = ({
  read,
  size,
  samples,
}: {
  readonly read: number;
  readonly size: number;
  readonly samples: number;
}): string => `\r${Math.floor((100 * read) / Math.max(1, size))} % read, ${count(samples, 'sample')} `;

const count = (amount: number, what = ''): string =>
  `${amount.toLocaleString('en')}${what === '' ? '' : ` ${what}${amount === 1 ? '' : 's'}`}`;

const createMoment = (zone: string) => {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return (at: number): string => format.format(at);
};
