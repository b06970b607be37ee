import { randomBytes } from 'node:crypto';
import { statusOfHttp } from '@haic/kit/audit/outcome.ts';
import { createBound, isTold } from '@haic/kit/audit/refusals.ts';
import { HaicError, notFound } from '@haic/kit/errors.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import { type Caller, recordOf } from '../caller.ts';
import { noSuchClient, type OAuthClient, somebodyElses, type TokenSource, tokenSourceName } from './model.ts';
import { type Challenge, type LoggedIn, newChallenge, type Provider } from './provider.ts';
import type { OAuthStore } from './store.ts';

/** The browser's way to a provider and back. */
export interface Logins {
  /** Where to send the browser, and what it has to keep until it is back. */
  begin(caller: Caller, loginSecret: string): Promise<LoginUnderWay>;
  /** The same for a source of the caller's that the portal shows: afterwards the browser is back there, connected or not. */
  beginAtPortal(caller: Caller, source: TokenSource): Promise<LoginUnderWay>;
  /**
   * `browser` is what `begin` gave to that browser. Throws `login_expired` (400) for what this person did not begin in this browser, began too
   * long ago, or has finished already: an answer that was caught or planted is worth nothing anywhere. What the provider refuses is noted with
   * the source and told the audit trail; of a login that the portal began it is said there, and thrown for every other.
   */
  finish(caller: Caller, at: { client: string; callback: URL; browser: string }): Promise<Connected>;
}

export interface LoginUnderWay {
  readonly url: string;
  readonly state: string;
  readonly browser: string;
  readonly client: Pick<OAuthClient, 'id'>;
}

export interface Connected {
  readonly client: OAuthClient;
  readonly source: TokenSource;
  readonly loginPrincipal: string;
  readonly toPortal: boolean;
}

export const loginLifetimeSeconds = 10 * 60;

export function createLogins(options: {
  readonly store: OAuthStore;
  readonly providerOf: (client: OAuthClient) => Promise<Provider>;
  readonly audit: AuditWriter;
  readonly now: () => Date;
}): Logins {
  const { store, providerOf, audit, now } = options;
  const refusals = createBound(() => now().getTime());

  const clientOf = async ({ client }: TokenSource): Promise<OAuthClient> => {
    const found = await store.findClient(client.id);
    if (found === undefined) throw noSuchClient();
    return found;
  };

  const begin = async (caller: Caller, source: TokenSource, toPortal: boolean): Promise<LoginUnderWay> => {
    // Else a link could have somebody connect their account for another person.
    if (source.owner !== caller.principal.subject) throw somebodyElses();
    const client = await clientOf(source);
    const challenge = newChallenge();
    const url = await (await providerOf(client)).loginUrl(challenge);
    const browser = randomBytes(32).toString('base64url');
    const expiresAt = new Date(now().getTime() + loginLifetimeSeconds * 1000);
    const { state } = challenge;
    const kept = { state, browser, challenge: JSON.stringify(challenge), expiresAt, toPortal };
    await store.beginLogin(source, kept);
    return { url, state, browser, client };
  };

  const connect = async (caller: Caller, client: OAuthClient, source: TokenSource, grant: LoggedIn) => {
    const record = recordOf(caller, action, tokenSourceName(source));
    await store.sealing(async (within, vault) => {
      if (!(await store.connect(within, vault, source, grant, now()))) throw expired();
      await audit.record(record, within);
    });
    return { client, source, loginPrincipal: grant.loginPrincipal };
  };

  /** It stays refused where that cannot be recorded, so this never throws. */
  const tellRefusal = async (caller: Caller, source: TokenSource, callback: URL, error: HaicError) => {
    const detail = withoutSecrets(error.message, callback);
    const status = statusOfHttp(error.status, { code: error.code, detail });
    // A provider that is away refuses nothing.
    const untold = isTold(status.code) ? refusals.count(caller.principal) : undefined;
    if (untold === undefined) return;
    const record = recordOf(caller, action, tokenSourceName(source));
    const metadata = untold === 0 ? {} : { metadata: { untold: String(untold) } };
    await audit.record({ ...record, status, ...metadata }).catch(() => {});
  };

  return {
    begin: async (caller, loginSecret) => {
      const source = await store.sourceByLogin(loginSecret);
      if (source === undefined) throw notFound('This login');
      return begin(caller, source, false);
    },

    beginAtPortal: (caller, source) => begin(caller, source, true),

    finish: async (caller, { client: clientId, callback, browser }) => {
      const state = callback.searchParams.get('state') ?? '';
      const login = await store.endLogin(state, browser, now());
      const source = login === undefined ? undefined : await store.sourceByUid(login.source);
      if (login === undefined || source === undefined) throw expired();
      if (source.owner !== caller.principal.subject) throw somebodyElses();
      // Each client has an address of its own to come back to, so that one provider cannot answer for another (RFC 9700 §4.4).
      if (source.client.id !== clientId) throw expired();
      const client = await clientOf(source);
      const { toPortal } = login;
      try {
        const provider = await providerOf(client);
        const grant = await provider.redeem(callback, JSON.parse(login.challenge) as Challenge);
        return { ...(await connect(caller, client, source, grant)), toPortal };
      } catch (error) {
        if (!(error instanceof HaicError)) throw error;
        await store.noteProblem(source, { message: error.message, at: now() });
        await tellRefusal(caller, source, callback, error);
        if (!toPortal) throw error;
        return { client, source, loginPrincipal: '', toPortal };
      }
    },
  };
}

const action = 'actions/securestore/tokenSources/LOGIN';

/** What a provider says is its own choice of words, which may be what it was sent. */
function withoutSecrets(message: string, { searchParams }: URL): string {
  const secrets = ['code', 'state']
    .flatMap((name) => searchParams.getAll(name))
    .filter((text) => text !== '');
  return secrets.reduce((text, secret) => text.replaceAll(secret, '…'), message);
}

const expired = (): HaicError =>
  new HaicError(
    'login_expired',
    400,
    'This login took too long, was finished already, or was begun in another browser. Please start again.',
  );
