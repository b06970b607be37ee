import { createHash } from 'node:crypto';
import { normaliseName } from './requirements.ts';

/** The lines of a lock that say something, in an order that does not depend on who wrote it. */
export function entriesOf(lock: string): readonly string[] {
  const entries: string[] = [];
  for (const line of lock.replace(/\\\n/g, ' ').split('\n')) {
    const text = line.replace(/(^|\s)#.*$/, '').trim();
    if (text === '' || text.startsWith('-')) continue;
    const [requirement = '', ...hashes] = text.split(/\s+--hash=/);
    entries.push([requirement.trim(), ...hashes.map((hash) => `--hash=${hash.trim()}`).sort()].join(' '));
  }
  return entries.sort();
}

/** The name of the environment that this lock makes. */
export function environmentHash(lock: string, python: { fullVersion: string; path: string }): string {
  const platform = `${process.platform}-${process.arch}`;
  return sha256(JSON.stringify(['1', entriesOf(lock), python.fullVersion, python.path, platform]));
}

/**
 * Keeps of each package only the hashes that requirements.txt itself demands: uv's resolver replaces them by the index's own. Returns the
 * name of a package that the index has with other files only.
 */
export function demandHashes(
  lock: string,
  demanded: ReadonlyMap<string, ReadonlySet<string>>,
): { lock: string } | { mismatch: string } {
  const result: string[] = [];
  for (const entry of entriesOf(lock)) {
    const [requirement = '', ...hashes] = entry.split(' --hash=');
    const wanted = demanded.get(normaliseName(/^[A-Za-z0-9._-]+/.exec(requirement)?.[0] ?? ''));
    const kept = wanted === undefined ? hashes : hashes.filter((hash) => wanted.has(hash));
    if (kept.length === 0) return { mismatch: requirement };
    result.push([requirement, ...kept.map((hash) => `    --hash=${hash}`)].join(' \\\n'));
  }
  return { lock: result.length === 0 ? '' : `${result.join('\n')}\n` };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
