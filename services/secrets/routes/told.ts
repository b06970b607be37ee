import type { ToldWhen } from '@haic/kit/audit/refusals.ts';

/** Every value that is asked for, and every change, is told of when it is refused; of other reads it is told that somebody may not. */
const reads: Readonly<Record<string, ToldWhen>> = { GET: 'denied', LIST: 'denied', REVEALVALUE: 'refused' };

/** What a method does, for the trail to hear of refusals; what succeeds, the store tells of in one transaction with it. */
export const refusalsOf = <Request>(
  collection: 'secrets' | 'versions' | 'oauthClients' | 'tokenSources',
  verb: string,
  nameIn: (request: Request) => string,
) => ({
  audit: {
    action: `actions/securestore/${collection}/${verb}`,
    resource: (request: Request) => `//secure-store/${nameIn(request)}`,
    readOnly: Object.hasOwn(reads, verb),
    when: reads[verb] ?? 'refused',
  },
});

export const nameOf = ({ name }: { readonly name: string }): string => name;
