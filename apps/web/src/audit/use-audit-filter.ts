import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { AuditFilter } from './events.ts';
import { kinds } from './sentence.ts';

export const ranges = [
  { value: '1h', label: 'Last hour', milliseconds: 3_600_000 },
  { value: '24h', label: 'Last 24 hours', milliseconds: 86_400_000 },
  { value: '7d', label: 'Last 7 days', milliseconds: 7 * 86_400_000 },
  { value: '30d', label: 'Last 30 days', milliseconds: 30 * 86_400_000 },
] as const;

/** The filters of the page, all of them in its address, so that what somebody found can be linked to. */
export function useAuditFilter(own: string | undefined) {
  const [parameters, setParameters] = useSearchParams();
  const get = (name: string) => parameters.get(name) ?? '';
  const set = (changes: Readonly<Record<string, string>>): void =>
    setParameters((current) => {
      const next = new URLSearchParams(current);
      for (const [name, value] of Object.entries(changes)) {
        if (value === '') next.delete(name);
        else next.set(name, value);
      }
      return next;
    });
  const key = parameters.toString();
  // The time of "last hour" is when it was chosen: pages of one search have to belong together.
  const filter = useMemo(() => filterOf(new URLSearchParams(key), own, Date.now()), [key, own]);
  return { get, set, filter, isFiltered: key !== '' };
}

export function filterOf(parameters: URLSearchParams, own: string | undefined, now: number): AuditFilter {
  const get = (name: string) => parameters.get(name) ?? '';
  const range = ranges.find(({ value }) => value === get('range'));
  const start = range === undefined ? timeOf(get('from')) : new Date(now - range.milliseconds).toISOString();
  const end = range === undefined ? timeOf(get('to')) : undefined;
  const kind = kinds.find(({ value }) => value === get('kind'));
  const principal = own ?? get('principal');
  return {
    ...(start === undefined ? {} : { startEventTime: start }),
    ...(end === undefined ? {} : { endEventTime: end }),
    ...(principal === '' ? {} : { principalExact: principal }),
    ...(get('action') !== ''
      ? { actionRegex: `^${literal(get('action'))}$` }
      : kind === undefined
        ? {}
        : { actionRegex: kind.expression }),
    ...(get('q') === '' ? {} : { resourceRegex: `(?i)${literal(get('q'))}` }),
    ...(get('outcome') === 'failed'
      ? { statusCodeRegex: '[1-9]' }
      : get('outcome') === 'done'
        ? { statusCodeRegex: '^0?$' }
        : {}),
    ...(get('reads') === 'no' ? { readOnly: false } : {}),
  };
}

/** Of a field for local time; undefined for what is none. */
function timeOf(text: string): string | undefined {
  const time = new Date(text);
  return text === '' || Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
