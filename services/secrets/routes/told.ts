import path from 'node:path';
import type { ToldWhen } from '@haic/kit/audit/refusals.ts';

/** Every value that is asked for, and every change, is told of when it is refused; of other reads it is told that somebody may not. */
const reads: Readonly<Record<string, ToldWhen>> = { GET: 'denied', LIST: 'denied', REVEALVALUE: 'refused' };

/** What a method does, for the trail to hear of refusals; what succeeds, the store tells of in one transaction with it. */
export const refusalsOf = <Request>(action: string, nameIn: (request: Request) => string) => {
  const when = reads[path.posix.basename(action)];
  return {
    audit: {
      action,
      resource: (request: Request) => `//secure-store/${nameIn(request)}`,
      readOnly: when !== undefined,
      when: when ?? 'refused',
    },
  };
};

export const nameOf = ({ name }: { readonly name: string }): string => name;
