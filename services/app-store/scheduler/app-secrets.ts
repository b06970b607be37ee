import { forbidden, unprocessable } from '@haic/kit/errors.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { AppSecretsClient, SecretLack } from '@haic/services/secrets/app-secrets/client.ts';
import type { WorkspaceActor } from '@haic/services/workspaces/client.ts';
import {
  type App,
  actorOf,
  appOfSecrets,
  type SecretWanted,
  secretsLacking,
  secretsWanted,
} from '../catalog/client.ts';
import type { SecretValues } from './launcher-config.ts';
import type { InstanceIdentity } from './model.ts';

export interface AppSecretsParts {
  readonly secrets: AppSecretsClient;
  readonly identity: Pick<IdentityClient, 'findPerson'>;
}

type Lacking = readonly { readonly wanted: SecretWanted; readonly lack: SecretLack }[];

/**
 * Values are read at each start of an instance's process, for that process: so they are in no specification, a changed one takes effect with
 * the next start, and whoever lost the right to one gets none from then on.
 */
export function createSecretsOfInstances({ secrets, identity }: AppSecretsParts) {
  return {
    /** Before anything is made. Throws `secret_unavailable` (422) with all that is missing. */
    async check(app: App, user: WorkspaceActor): Promise<void> {
      const of = secretsWanted(app.manifest).length === 0 ? undefined : await appOfSecrets(app, identity);
      if (of === undefined) return;
      const lacking = await secretsLacking(secretsWanted(app.manifest), (references) =>
        secrets.examine(of, references, user),
      );
      if (lacking.length > 0) throw unavailableTo(app, lacking);
    },

    /** For one start. Throws `secret_unavailable` (403), which asking again does not help. */
    async valuesFor(app: App, instance: InstanceIdentity): Promise<SecretValues> {
      const wanted = secretsWanted(app.manifest);
      if (wanted.length === 0) return { env: [], files: [] };
      const outcomes = await secrets.use(
        {
          app: { ...(await appOfSecrets(app, identity)), id: app.id },
          instanceId: instance.id,
          user: await actorOf(instance.owner, identity),
        },
        wanted.map(({ reference }) => reference),
      );
      const values = new Map<SecretWanted['from'], Uint8Array>();
      const lacking: { wanted: SecretWanted; lack: SecretLack }[] = [];
      for (const [index, outcome] of outcomes.entries()) {
        const one = wanted[index];
        if (one === undefined) continue;
        if ('value' in outcome) values.set(one.from, outcome.value);
        else if (!one.optional) lacking.push({ wanted: one, lack: outcome.lack });
      }
      if (lacking.length > 0) throw withheldFrom(app, lacking);
      return valuesOf(app, values);
    },
  };
}

function valuesOf({ manifest }: App, values: ReadonlyMap<SecretWanted['from'], Uint8Array>): SecretValues {
  return {
    env: manifest.env.flatMap(({ name, from }) => {
      const value = values.get(from);
      return value === undefined ? [] : [{ name, value: textOf(name, value) }];
    }),
    files: manifest.files.flatMap(({ path, from }) => {
      const value = values.get(from);
      return value === undefined ? [] : [{ path, base64: Buffer.from(value).toString('base64') }];
    }),
  };
}

/** Linux gives one variable no more than 128 KiB. */
const largestVariable = 120 * 1024;

function textOf(name: string, value: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    if (!text.includes('\0') && value.length <= largestVariable) return text;
  } catch {
    // Said below.
  }
  throw forbidden(
    'secret_unavailable',
    `The value for the variable ${name} is no text, or too long for a variable. Give it to the app as a file, with [[File]].`,
  );
}

const said = (lacking: Lacking): string =>
  lacking.map(({ wanted, lack }) => `For ${wanted.by}: ${lack.message} ${lack.remedy}`).join(' ');

const unavailableTo = ({ manifest }: App, lacking: Lacking) =>
  unprocessable('secret_unavailable', `${manifest.title} cannot start now. ${said(lacking)}`);

const withheldFrom = ({ manifest }: App, lacking: Lacking) =>
  forbidden('secret_unavailable', `${manifest.title} gets no secrets. ${said(lacking)}`);
