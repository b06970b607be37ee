import { LRUCache } from 'lru-cache';
import type { LoginNames } from './present.ts';

export type NamesOf = (principals: readonly string[]) => Promise<LoginNames>;

const minutes = 5;
const atOnce = 8;

/**
 * What people know principals by: the user name of a person, the name of a service. Asked when events are read, since names change and the trail does
 * not. A name that cannot be had now is left out, and so is that of somebody who is gone.
 */
export function createLoginNames(usernameOf: (subject: string) => Promise<string | undefined>): NamesOf {
  const known = new LRUCache<string, string>({ max: 10_000, ttl: minutes * 60_000 });
  const ask = async (subject: string) => {
    const name = (await usernameOf(subject).catch(() => undefined)) ?? '';
    if (name !== '') known.set(subject, name);
    return name;
  };
  return async (principals) => {
    const names = new Map<string, string>();
    const open = [...new Set(principals)];
    const worker = async () => {
      for (let principal = open.pop(); principal !== undefined; principal = open.pop()) {
        const [kind, id = ''] = principal.split('/');
        const name = kind === 'services' ? id : (known.get(id) ?? (await ask(id)));
        if (name !== '') names.set(principal, name);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return names;
  };
}
