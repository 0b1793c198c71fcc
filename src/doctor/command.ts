import { dirname } from 'node:path';
import { createConceal } from './conceal.ts';
import { examine } from './doctor.ts';
import { renderIssue } from './issue.ts';
import type { DoctorOptions } from './options.ts';
import { createProgress } from './progress.ts';
import { type Look, renderText } from './text.ts';

/** How the report is to look; `issue` is for others to read. */
export const FORMATS = ['text', 'json', 'issue'] as const;
export type Format = (typeof FORMATS)[number];

export const isFormat = (word: unknown): word is Format => FORMATS.some((format) => format === word);

/** What the terminal and the user are to the command. */
export type DoctorCommand = Omit<DoctorOptions, 'onWait'> & {
  readonly format: Format;
  readonly look: Look;
  readonly home: string;
  readonly user: string | null;
  readonly host: string;
  /** Writes to the terminal of a person who waits; null: there is none. */
  readonly writeProgress: ((text: string) => void) | null;
};

/** `signalbox doctor`: the text to print, and whether nothing is a problem. */
export const runDoctor = async (
  command: DoctorCommand,
): Promise<{ readonly text: string; readonly isWell: boolean }> => {
  const progress = command.writeProgress === null ? null : createProgress(command.writeProgress, command.look.width);
  const report = await examine({ ...command, onWait: (names) => progress?.wait(names) });
  progress?.end();
  const isWell = report.checks.every(({ status }) => status !== 'problem');
  switch (command.format) {
    case 'text':
      return { text: renderText(report, command.look), isWell };
    case 'json':
      return { text: `${JSON.stringify(report, null, 2)}\n`, isWell };
    case 'issue': {
      const { watch, db, tokenFile, nvml, nvidiaSmi } = command.settings;
      const conceal = createConceal({
        ...{ home: command.home, user: command.user, host: command.host, watch, databaseFolder: dirname(db) },
        root: command.root,
        files: [tokenFile, nvml, nvidiaSmi].filter((path) => path !== null),
      });
      return { text: renderIssue(report, conceal), isWell };
    }
  }
};
