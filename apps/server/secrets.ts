import { deriveKey } from '@haic/kit/keys.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import { createKeySource } from '@haic/services/secrets/sealing/key-source.ts';
import { createSecrets, type Secrets, type SecretsOptions } from '@haic/services/secrets/secrets.ts';
import { type Installation, type InstallationSecrets, secureStoreKeyFile } from './installation.ts';
import type { ServerSettings } from './settings.ts';

/** The secure store, with its keys from wherever the settings say. */
export function composeSecrets(
  options: Omit<SecretsOptions, 'keys'> & {
    readonly settings: ServerSettings;
    readonly installation: Installation;
    readonly secrets: InstallationSecrets;
  },
): Secrets {
  const { settings, installation, secrets, ...rest } = options;
  const keys = createKeySource({
    derived: deriveKey(secrets.masterKey, 'secure-store'),
    ownFile: secureStoreKeyFile(installation),
    given: givenKeys(settings),
  });
  return createSecrets({ ...rest, keys });
}

/** Removed, and not only disabled. Whom an issuer of the organisation says nothing of is not known to be gone. */
export const isGoneAccordingTo =
  (identity: IdentityClient) =>
  async (subject: string): Promise<boolean> =>
    (await identity.findPerson(subject)) === undefined && (await identity.standingOf(subject)) === 'ended';

function givenKeys({ secretsKeyFile: file, secretsKey: text }: ServerSettings) {
  if (file !== undefined) return { file };
  return text === undefined ? undefined : { text };
}
