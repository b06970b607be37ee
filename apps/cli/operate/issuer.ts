import { readFile } from 'node:fs/promises';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { clientSecretOf } from '@haic/server/installation.ts';
import { installationOf, type ServerSettings } from '@haic/server/settings.ts';
import { print, say } from '../terminal.ts';
import { prepare } from './up.ts';

const template = new URL('../../../deploy/keycloak/haic-realm.json', import.meta.url);

/**
 * The realm of deploy/keycloak with this installation's address and the secrets of its clients filled in. May come before the first `up`:
 * the secrets follow from the master key, which is made then.
 */
export async function printRealm(settings: ServerSettings): Promise<void> {
  const at = installationOf(settings);
  const secrets = await prepare(at, settings);
  const secretOf = (clientId: string) => clientSecretOf(clientId, settings, secrets);
  const values: Readonly<Record<string, string>> = {
    HAIC_PUBLIC_URL: settings.publicUrl,
    HAIC_PORTAL_CLIENT_SECRET: secretOf(wellKnownClients.portal),
    HAIC_ROUTER_CLIENT_SECRET: secretOf(wellKnownClients.router),
    HAIC_CORE_CLIENT_SECRET: secretOf(wellKnownClients.core),
    HAIC_DRIVE_CLIENT_SECRET: secretOf(wellKnownClients.drive),
    HAIC_OPERATOR_CLIENT_SECRET: secretOf(wellKnownClients.operator),
  };
  const realm = (await readFile(template, 'utf8')).replace(/\$\{(HAIC_[A-Z_]+)\}/g, (_, name: string) =>
    JSON.stringify(values[name] ?? '').slice(1, -1),
  );
  print(realm.trimEnd());
  say(`This holds the secrets of Haic's clients. Import it in Keycloak (docs/keycloak.md), then:`);
  say('  ./haic up --issuer https://<your Keycloak>/realms/haic');
}
