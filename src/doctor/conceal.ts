/** What of this machine and its user is not to be told to others. */
export type Secrets = {
  readonly home: string;
  readonly user: string | null;
  readonly host: string;
  readonly watch: readonly string[];
  readonly databaseFolder: string;
  /** Where Signalbox itself is. */
  readonly root: string;
  /** Other paths from the settings. */
  readonly files: readonly string[];
};

/** Names that every machine has, and that say nothing. */
const COMMON = new Set(['root', 'localhost']);
const UUID = /\b(GPU|MIG)-[0-9a-f-]{8,}/g;
const SOMEBODYS_HOME = /(\/home\/|\/Users\/)[^/\s"']+/g;

/**
 * Makes a text fit to be shown to anybody: paths of the settings become `<watched folder 1>` and the like, the home folder
 * `~`, names of the user, the machine and the GPUs' UUIDs go. What is below such a path keeps its end.
 */
export const createConceal = (secrets: Secrets): ((text: string) => string) => {
  const paths: readonly (readonly [string, string])[] = [
    ...secrets.watch.map((path, place) => [path, `<watched folder ${place + 1}>`] as const),
    [secrets.databaseFolder, '<database folder>'] as const,
    [secrets.root, '<signalbox>'] as const,
    ...secrets.files.map((path) => [path, `<${path.slice(path.lastIndexOf('/') + 1)}>`] as const),
    [secrets.home, '~'] as const,
  ]
    .filter(([path]) => path.length > 1)
    .toSorted(([a], [b]) => b.length - a.length);
  const names = [secrets.user, secrets.host]
    .filter((name) => name !== null && name !== '' && !COMMON.has(name))
    .map((name) => new RegExp(`(?<![\\w-])${String(name).replace(/\W/g, '\\$&')}(?![\\w-])`, 'g'));
  return (text) => {
    let shown = text;
    for (const [path, word] of paths) shown = shown.replaceAll(path, word);
    shown = shown.replace(SOMEBODYS_HOME, '$1<user>').replace(UUID, '$1-…');
    for (const name of names) shown = shown.replaceAll(name, '<name>');
    return shown;
  };
};
