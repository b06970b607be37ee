import { isInstanceId } from './hosts.ts';

const longestNext = 4096;
// Tabs and line breaks are dropped by browsers, backslashes read as slashes: neither belongs in an address of ours.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const unsafe = /[\u0000-\u0020\u007f\\]/;

/**
 * Where to go afterwards: always an absolute URL at `origin`, since "//evil" is a path for us and a host for a browser.
 * What leads elsewhere leads home.
 */
export function safeNext(next: string | null | undefined, origin: string): string {
  const home = `${origin}/`;
  if (next === null || next === undefined || next.length > longestNext || unsafe.test(next)) return home;
  if (!next.startsWith(home) && (!next.startsWith('/') || next.startsWith('//'))) return home;
  const url = URL.parse(next, origin);
  return url?.origin === origin && url.username === '' ? url.href : home;
}

export const pathOnly = (target: string): string => {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
};

/**
 * The path as the laxest server behind us could read it: decoded, in lower case, dots and doubled slashes resolved. For
 * prohibitions only. Undefined if it cannot be decoded.
 */
export function laxPath(target: string): string | undefined {
  const once = decoded(pathOnly(target));
  if (once === undefined) return undefined;
  // Twice: a server may decode what another one has decoded before. "100%25" has nothing to decode the second time.
  const path = decoded(once) ?? once;
  const kept: string[] = [];
  for (const part of path.replaceAll('\\', '/').toLowerCase().split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') kept.pop();
    else kept.push(part);
  }
  return `/${kept.join('/')}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `/instance/<id>/rest?query`: the id and what follows, or undefined for other paths. */
export function instancePath(target: string): { instanceId: string; rest: string } | undefined {
  const prefix = '/instance/';
  if (!target.startsWith(prefix)) return undefined;
  const instanceId = target.slice(prefix.length, prefix.length + 36).toLowerCase();
  const rest = target.slice(prefix.length + 36);
  if (!isInstanceId(instanceId) || !(rest === '' || rest[0] === '/' || rest[0] === '?')) return undefined;
  return { instanceId, rest };
}

export const baseOf = (instanceId: string): string => `/instance/${instanceId}/`;
