import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Static } from '../core/schema.ts';

const ServiceFileSchema = Type.Object({ pid: Type.Integer({ minimum: 1 }), url: Type.String({ pattern: '^http://' }) });
/** How the service of a database is reached. */
export type ServicePlace = Static<typeof ServiceFileSchema>;

const fileOf = (database: string): string => `${database}.service.json`;

/** Says beside the database how its service is reached; the function that is returned takes it back. */
export const writeServiceFile = (database: string, place: ServicePlace): (() => void) => {
  writeFileSync(fileOf(database), `${JSON.stringify(place)}\n`, { mode: 0o600 });
  return () => rmSync(fileOf(database), { force: true });
};

/** The service that has this database now; null: none. A file that a killed service left is none. */
export const readServiceFile = (database: string, isAlive: (pid: number) => boolean): ServicePlace | null => {
  let text: string;
  try {
    text = readFileSync(fileOf(database), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const place: unknown = JSON.parse(text);
  return Value.Check(ServiceFileSchema, place) && isAlive(place.pid) ? place : null;
};
