import type { Principal } from '@haic/kit/auth/principal.ts';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import {
  type App,
  appOfSecrets,
  type CatalogClient,
  secretsWanted,
} from '@haic/services/app-store/catalog/client.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { KeptSecret, SecretPlace } from '../client.ts';
import { type LendingParts, secretNamed } from './lending.ts';

/** An app that gets values of a secret. */
export interface SecretUser {
  readonly app: App;
  /** Of the secret, sorted. */
  readonly keys: readonly string[];
}

/** Who uses a secret, as far as somebody may know. */
export interface SecretUsers {
  readonly apps: readonly SecretUser[];
  /** How many more there are. */
  readonly others: number;
}

/** What the catalog is asked for: it is composed after the secrets, which it asks itself. */
export type AppsOfSecrets = () => Pick<CatalogClient, 'appsNaming' | 'recheck' | 'accessOf'>;

const recheckMs = 30_000;

export function createSecretUsers(
  parts: LendingParts & {
    readonly catalog: AppsOfSecrets;
    readonly identity: Pick<IdentityClient, 'findPerson'>;
    readonly logger: Logger;
  },
) {
  async function naming(names: readonly string[]): Promise<readonly App[]> {
    const apps = new Map<string, App>();
    for (const name of names) for (const app of await parts.catalog().appsNaming(name)) apps.set(app.id, app);
    return [...apps.values()];
  }

  async function keysOf(app: App, secret: KeptSecret, names: readonly string[]): Promise<readonly string[]> {
    const keys = new Set<string>();
    const of = await appOfSecrets(app, parts.identity);
    for (const { reference } of secretsWanted(app.manifest)) {
      if (!names.includes(reference.secret) || keys.has(reference.key)) continue;
      const led = await secretNamed(parts, of, reference.secret);
      if (led?.uid === secret.uid) keys.add(reference.key);
    }
    return [...keys].toSorted();
  }

  return {
    /** The newest app first. Also those that could do without: they would be another app afterwards. */
    async usersOf(actor: Principal, secret: KeptSecret): Promise<SecretUsers> {
      const names = namesOf(secret);
      const apps: SecretUser[] = [];
      let others = 0;
      for (const app of await naming(names)) {
        const keys = await keysOf(app, secret, names);
        if (keys.length === 0) continue;
        if (parts.catalog().accessOf(actor, app).canSee) apps.push({ app, keys });
        else others += 1;
      }
      return { apps, others };
    },

    /** Apps that name it can run from now on, or cannot any more: that shows at once. What fails here, the hourly look finds. */
    async recheck(place: SecretPlace): Promise<void> {
      try {
        const signal = AbortSignal.timeout(recheckMs);
        await parts.catalog().recheck(await naming(namesOf(place)), signal);
      } catch (error) {
        parts.logger.warn(`Apps that name a changed secret are looked at later (${messageOf(error)}).`);
      }
    },
  };
}

/** How app.toml may call it. */
const namesOf = ({ parent, id }: SecretPlace): readonly string[] => [
  id,
  ...[parent, 'workspaces/default', 'workspaces/global'].map((workspace) => `${workspace}/secrets/${id}`),
];
