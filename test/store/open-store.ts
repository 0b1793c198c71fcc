import { fileURLToPath } from 'node:url';
import { openStore } from '../../src/store/open.ts';

/** The repository's migrations. */
export const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** A real store with the real migrations; in memory without a path. */
export const open = (path = ':memory:') => openStore({ path, migrations: MIGRATIONS });

/** 2025-09-09 14:17:51 UTC: a start of time for tests. */
export const T0 = 1_757_427_471_000;
