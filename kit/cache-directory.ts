import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Of what can be downloaded or built again, unless `HAIC_CACHE` says otherwise. Apps run under uids of their own, which could not reach anything in root's home. */
export const defaultCache = (): string =>
  process.getuid?.() === 0 ? '/var/cache/haic' : path.join(cacheHome(), 'haic');

const cacheHome = (): string => process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache');
