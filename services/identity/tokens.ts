import { createHash } from 'node:crypto';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { ArtifactStore, ListedArtifact } from './artifacts.ts';
import type { Person } from './model.ts';
import { lastingClients } from './provider/clients.ts';
import type { Sessions } from './provider/sessions.ts';

export type TokenKind = 'SESSION' | 'PLATFORM_TOKEN' | 'CLI_TOKEN';

/** A sign-in session, or a token that outlives sessions, as its owner sees it: never the secret itself. */
export interface PersonalToken {
  readonly id: string;
  readonly kind: TokenKind;
  /** The client it was made for; of a session the portal, or else the first app that was signed in to. */
  readonly client: string | undefined;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | undefined;
  /** The session that the asker's own token belongs to. */
  readonly current: boolean;
}

/** Where the asker's token comes from: its client and, for a session, the `sid` it has there. */
export interface Asker {
  readonly party: string;
  readonly sid: string | undefined;
}

export interface TokensService {
  /** The last used first. */
  list(person: Person, asker?: Asker): Promise<readonly PersonalToken[]>;
  /** Ends it: no refresh works any more, and of a session also the portal's and the apps' end. 404 when the person has none such. */
  revoke(person: Person, id: string): Promise<void>;
}

export function createTokensService(parts: {
  artifacts: ArtifactStore;
  sessions: Sessions;
  logger: Logger;
}): TokensService {
  const { artifacts, sessions, logger } = parts;
  return {
    list: async (person, asker) => {
      const seen = new Set<string>();
      const found = (await artifacts.listOf(person.id, lastingClients)).filter((artifact) => {
        // For a moment a session has two rows, while its id changes at sign-in.
        const id = idOf(artifact);
        return !seen.has(id) && seen.add(id);
      });
      return found.map((artifact) => describe(artifact, asker));
    },

    revoke: async (person, id) => {
      const artifact = (await artifacts.listOf(person.id, lastingClients)).find((one) => idOf(one) === id);
      if (artifact === undefined) throw notFound('This session or token');
      if (artifact.model === 'Session') await sessions.end(artifact.payload);
      else await artifacts.destroyGrant(String(artifact.payload.grantId));
      logger.info({ username: person.username, kind: kindOf(artifact) }, 'A session or token was revoked.');
    },
  };
}

/** A hash: neither a session's uid nor a token's value can be had from it, and a session keeps its own when its row is replaced. */
const idOf = ({ model, payload, key }: ListedArtifact): string =>
  createHash('sha256')
    .update(model === 'Session' ? `session:${payload.uid}` : key)
    .digest('hex')
    .slice(0, 32);

function kindOf({ model, payload }: ListedArtifact): TokenKind {
  if (model === 'Session') return 'SESSION';
  return payload.clientId === wellKnownClients.platform ? 'PLATFORM_TOKEN' : 'CLI_TOKEN';
}

function describe(artifact: ListedArtifact, asker: Asker | undefined): PersonalToken {
  const { payload, createdAt, usedAt } = artifact;
  const kind = kindOf(artifact);
  const shared = { id: idOf(artifact), kind };
  if (kind !== 'SESSION')
    return {
      ...shared,
      client: payload.clientId,
      createdAt,
      lastUsedAt: usedAt > createdAt ? usedAt : undefined,
      current: false,
    };
  const clients = payload.authorizations ?? {};
  const sid = asker === undefined ? undefined : clients[asker.party]?.sid;
  return {
    ...shared,
    client: wellKnownClients.portal in clients ? wellKnownClients.portal : Object.keys(clients)[0],
    // A session starts before the password is typed; what people mean is when they signed in.
    createdAt: payload.loginTs === undefined ? createdAt : new Date(payload.loginTs * 1000),
    lastUsedAt: usedAt,
    current: sid !== undefined && sid === asker?.sid,
  };
}
