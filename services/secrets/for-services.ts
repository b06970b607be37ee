import { conflict, invalid } from '@haic/kit/errors.ts';
import type { TransactionSql } from '@haic/platform/database/port.ts';
import type { AuditedAction, AuditWriter } from '@haic/services/audit/client.ts';
import type { KeptSecret, OnBehalf, SecretPlace, SecretsClient } from './client.ts';
import type { KeptSecretList } from './kept-list.ts';
import {
  checkedValue,
  keptAfterDeletionMs,
  type Secret,
  type SecretValues,
  type SecretVersion,
  secretName,
  versionName,
} from './model.ts';
import type { UnlockedVault } from './sealing/vault.ts';
import type { SecretStore } from './store.ts';

const mostKeys = 100;

/** `SecretsClient` in this process. */
export function createSecretsClient(options: {
  readonly store: SecretStore;
  readonly keptList: KeptSecretList;
  readonly audit: AuditWriter;
  readonly now: () => Date;
}): SecretsClient {
  const { store, audit, now } = options;

  const held = async (secret: Secret): Promise<KeptSecret | undefined> => {
    const version = await store.versionAt(secret, 'latest');
    return version === undefined ? undefined : keptAs(secret, version, await store.keysOf(version));
  };
  const found = async ({ parent, id }: SecretPlace): Promise<Secret | undefined> => {
    const secret = await store.find(parent, id);
    return secret?.deleted === undefined ? secret : undefined;
  };

  const openAll = async (secret: Secret, version: SecretVersion, keys: readonly string[]) => {
    const opened = new Map<string, Buffer>();
    for (const key of keys) {
      const value = await store.open(secret, version, key);
      if (value !== undefined) opened.set(key, value);
    }
    return opened;
  };
  const hold = async (
    within: TransactionSql,
    vault: UnlockedVault,
    secret: Secret,
    values: SecretValues,
    by: OnBehalf,
  ): Promise<KeptSecret> => {
    const version = await store.addVersion(within, vault, secret, {
      ...{ values, creator: by.principal, createdAt: now() },
    });
    await audit.record(recordOf(by, 'actions/securestore/versions/CREATE', versionName(version)), within);
    return keptAs(secret, version, [...values.keys()].sort());
  };

  return {
    find: async (place) => {
      const secret = await found(place);
      return secret === undefined ? undefined : held(secret);
    },

    list: options.keptList,

    make: (place, values, by, uid) => {
      checkValues(values);
      const { principal: creator } = by;
      return store.sealing(async (within, vault) => {
        const described = { displayName: '', annotations: {}, creator, createdAt: now() };
        const made = await store.insert(within, vault, { ...place, ...described, uid });
        if (made !== undefined) return hold(within, vault, made, values, by);
        const there = await store.findForUpdate(within, place.parent, place.id);
        if (there === undefined) throw taken(place.id);
        if (there.deleted !== undefined)
          return hold(within, vault, await store.setDeletion(within, there, undefined), values, by);
        // An earlier try made it, whose answer got lost.
        const before = there.uid === uid ? await held(there) : undefined;
        if (before === undefined) throw taken(place.id);
        return before;
      });
    },

    replace: (place, values, by, keep = []) =>
      store.sealing(async (within, vault) => {
        const secret = await store.findForUpdate(within, place.parent, place.id);
        if (secret === undefined || secret.deleted !== undefined) return undefined;
        const version = await store.versionAt(secret, 'latest', within);
        const kept = version === undefined ? new Map() : await openAll(secret, version, keep);
        const missing = keep.find((key) => !kept.has(key));
        if (missing !== undefined) throw noSuchKey(missing);
        const all = new Map<string, Uint8Array>([...kept, ...values]);
        checkValues(all);
        return hold(within, vault, secret, all, by);
      }),

    remove: (place, by) =>
      store.transaction(async (within) => {
        const secret = await store.findForUpdate(within, place.parent, place.id);
        if (secret === undefined || secret.deleted !== undefined) return false;
        const at = now();
        const purgeAt = new Date(at.getTime() + keptAfterDeletionMs);
        await store.setDeletion(within, secret, { by: by.principal, at, purgeAt });
        await audit.record(recordOf(by, 'actions/securestore/secrets/DELETE', secretName(secret)), within);
        return true;
      }),

    restore: async (place, by) => {
      const secret = await store.transaction(async (within) => {
        const deleted = await store.findForUpdate(within, place.parent, place.id);
        if (deleted?.deleted === undefined || deleted.deleted.purgeAt <= now()) return undefined;
        await audit.record(recordOf(by, 'actions/securestore/secrets/UNDELETE', secretName(deleted)), within);
        return store.setDeletion(within, deleted, undefined);
      });
      return secret === undefined ? undefined : held(secret);
    },

    reveal: async (place, by) => {
      const secret = await found(place);
      const version = secret === undefined ? undefined : await store.versionAt(secret, 'latest');
      if (secret === undefined || version === undefined) return undefined;
      const opened = await openAll(secret, version, await store.keysOf(version));
      const record = recordOf(by, 'actions/securestore/versions/REVEALVALUE', versionName(version));
      await audit.record({ ...record, readOnly: true });
      return opened;
    },

    use: async (place, keys, by) => {
      const secret = await found(place);
      const version = secret === undefined ? undefined : await store.versionAt(secret, 'latest');
      if (secret === undefined || version === undefined) return new Map();
      const opened = await openAll(secret, version, keys);
      const record = recordOf(by, 'actions/securestore/versions/USE', versionName(version));
      await audit.record({ ...record, readOnly: true });
      return opened;
    },
  };
}

function checkValues(values: SecretValues): void {
  if (values.size > mostKeys)
    throw invalid('secret_too_large', `A secret has at most ${mostKeys} keys; this one has ${values.size}.`);
  for (const value of values.values()) checkedValue(value);
}

const recordOf = (by: OnBehalf, action: string, name: string): AuditedAction => ({
  ...{ action, readOnly: false, principal: by.principal, resource: `//secure-store/${name}` },
  ...(by.metadata === undefined ? {} : { metadata: by.metadata }),
  ...(by.sourceIpAddress === undefined ? {} : { sourceIpAddress: by.sourceIpAddress }),
  ...(by.userAgent === undefined ? {} : { userAgent: by.userAgent }),
});

const keptAs = (secret: Secret, version: SecretVersion, keys: readonly string[]): KeptSecret => ({
  ...{ parent: secret.parent, id: secret.id, uid: secret.uid, displayName: secret.displayName },
  ...{ creator: secret.creator, createdAt: secret.createdAt },
  ...{ changedAt: version.createdAt, changedBy: version.creator, keys },
});

const noSuchKey = (key: string) =>
  invalid(
    'no_such_key',
    `The secret has no key ${JSON.stringify(key.slice(0, 100))} whose value could be kept.`,
  );

const taken = (id: string) =>
  conflict('secret_exists', `There is a secret "${id}" already. Change that one, or choose another name.`);
