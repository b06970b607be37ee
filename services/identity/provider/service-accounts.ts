import type { Logger } from '@haic/kit/logging.ts';
import { LRUCache } from 'lru-cache';
import type Provider from 'oidc-provider';
import type { ClientMetadata, KoaContextWithOIDC } from 'oidc-provider';
import type { Person } from '../model.ts';
import { personClaims } from '../present.ts';
import { isAccountClient } from '../service-accounts/model.ts';
import { tokenExchangeGrant } from './clients.ts';

/** What the issuer asks about service accounts. */
export interface ServiceAccountClients {
  /** The account of a client that may have tokens now. */
  activeOfClient(clientId: string | undefined): Promise<Person | undefined>;
  isSecretOf(clientId: string, secret: string): Promise<boolean>;
  noteUse(clientId: string): Promise<void>;
  /** Seconds since the epoch; undefined for one without an end. */
  endOf(clientId: string): Promise<number | undefined>;
}

/** The secret here is never compared: see `compareHashedSecrets`. */
export const accountClientMetadata = (clientId: string, neverASecret: string): ClientMetadata => ({
  client_id: clientId,
  client_secret: neverASecret,
  client_name: clientId,
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials', tokenExchangeGrant],
});

/** `sub` is the account's id, as a person's is: what it owns stays its own whatever becomes of its client. */
export const accountClaims = (account: Person) => ({ ...personClaims(account), typ: 'Bearer' });

/** The provider compares secrets in the clear; of service accounts there are only hashes, and two of them while a secret is replaced. */
export function compareHashedSecrets(provider: Provider, accounts: ServiceAccountClients): void {
  const { prototype } = provider.Client;
  const compareInTheClear = prototype.compareClientSecret;
  prototype.compareClientSecret = function compareClientSecret(secret: string) {
    return isAccountClient(this.clientId)
      ? accounts.isSecretOf(this.clientId, secret)
      : compareInTheClear.call(this, secret);
  };
}

/** When an account was used last: written once a minute at most. */
export function createNoteOfAccountUse(accounts: ServiceAccountClients, logger: Logger) {
  const notedLately = new LRUCache<string, true>({ max: 10_000, ttl: 60_000 });
  return (ctx: KoaContextWithOIDC): void => {
    const clientId = ctx.oidc.client?.clientId;
    if (clientId === undefined || !isAccountClient(clientId) || notedLately.has(clientId)) return;
    notedLately.set(clientId, true);
    accounts
      .noteUse(clientId)
      .catch((error: unknown) => logger.warn({ err: error }, 'The use of an account could not be noted.'));
  };
}
