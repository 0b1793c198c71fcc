import type { Check, Status } from '../../src/doctor/check.ts';

/** How each check came out, by its id. */
export const statuses = (checks: readonly Check[]): Readonly<Record<string, Status>> =>
  Object.fromEntries(checks.map(({ id, status }) => [id, status]));

/** The check with this id. Throws when there is none. */
export const checkOf = (checks: readonly Check[], id: string): Check => {
  const found = checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id} among ${checks.map((check) => check.id).join(', ')}`);
  return found;
};
