import { createRequire } from 'node:module';

/**
 * A store's client, from the installed packages and only when it is used: bundled into the platform's programs, or imported at their start,
 * it would cost every installation memory that uses another store.
 */
export const loadSdk = <T>(name: string): T => createRequire(import.meta.url)(name) as T;
