/** How a check came out. `problem`: something does not work. `warning`: it works with less. `unknown`: it could not be told. */
export type Status = 'ok' | 'warning' | 'problem' | 'unknown';

/** What the checks are about, with their headings, in the order in which people read them. */
export const GROUPS = {
  software: 'Software',
  gpu: 'GPU',
  container: 'Container',
  watching: 'Watched folders',
  history: 'History',
  system: 'System',
  clock: 'Clock',
  network: 'Network',
} as const;
export type Group = keyof typeof GROUPS;

/** One thing that was looked at. */
export type Check = {
  /** Stays the same from version to version: scripts may ask for it. */
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly status: Status;
  /** One or two sentences for a person. */
  readonly says: string;
  /** Tables and lists that belong to it, one line each. */
  readonly details: readonly string[];
  /** What it was judged by, as JSON. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What to do, one step each; empty where there is nothing to do. */
  readonly fix: readonly string[];
};

/** What a judgement adds to its subject. */
export type Finding = Pick<Check, 'status' | 'says'> & Partial<Pick<Check, 'details' | 'facts' | 'fix'>>;

/** Makes a check of what was looked at and what was found. Words of drivers and names of files come out as one line. */
export const check = (subject: Pick<Check, 'id' | 'group' | 'title'>, finding: Finding): Check => ({
  ...subject,
  status: finding.status,
  says: onOneLine(finding.says),
  details: (finding.details ?? []).map(onOneLine),
  facts: finding.facts ?? {},
  fix: (finding.fix ?? []).map(onOneLine),
});

/** A terminal would obey control characters. */
const onOneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');
