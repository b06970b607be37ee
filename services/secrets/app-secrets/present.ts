import type { Names } from '../names.ts';
import type { AppSecret } from './service.ts';
import type { SecretUsers } from './users.ts';

/** Never a value. */
export function presentSecret({ kept, visibility, ...may }: AppSecret, nameOf: Names) {
  return {
    name: kept.id,
    visibility,
    parent: visibility === 'APP' ? kept.parent : '',
    keys: kept.keys,
    owner: { subject: kept.creator.replace(/^users\//, ''), username: nameOf(kept.creator) },
    createdAt: kept.createdAt.toISOString(),
    updatedAt: kept.changedAt.toISOString(),
    updatedBy: nameOf(kept.changedBy),
    canChange: may.mayChange,
    canReveal: may.mayReveal,
  };
}

export const presentSecretDetails = (secret: AppSecret, { apps, others }: SecretUsers, nameOf: Names) => ({
  ...presentSecret(secret, nameOf),
  usedBy: {
    apps: apps.map(({ app, keys }) => ({
      id: app.id,
      name: app.manifest.name,
      title: app.manifest.title,
      version: app.manifest.version,
      owner: app.owner.username,
      keys,
    })),
    others,
  },
});

/** A text as it is; what is none in base64. */
export function presentValues(values: ReadonlyMap<string, Uint8Array>) {
  return Object.fromEntries([...values].map(([key, value]) => [key, presentValue(value)]));
}

function presentValue(value: Uint8Array): string | { base64: string } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    if (!text.includes('\0')) return text;
  } catch {
    // Said below.
  }
  return { base64: Buffer.from(value).toString('base64') };
}
