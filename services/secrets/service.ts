import { conflict, type HaicError, invalid } from '@haic/kit/errors.ts';
import { cutPage } from '@haic/kit/http/paging.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { TransactionSql } from '@haic/platform/database/port.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';
import type { WorkspacesClient } from '@haic/services/workspaces/client.ts';
import { type Caller, principalName, recordOf } from './caller.ts';
import {
  checkedAnnotations,
  checkedDisplayName,
  checkedId,
  checkedValue,
  keptAfterDeletionMs,
  noSuchSecret,
  noSuchVersion,
  plainKey,
  readSecretName,
  readVersionName,
  readWorkspace,
  type Secret,
  type SecretVersion,
  secretName,
  versionName,
} from './model.ts';
import { anyId, type Page, placeOf } from './pages.ts';
import { may, type SecretAction } from './policy.ts';
import type { SecretStore } from './store.ts';

export type SecretService = ReturnType<typeof createSecretService>;

export function createSecretService(options: {
  readonly store: SecretStore;
  readonly workspaces: WorkspacesClient;
  readonly audit: AuditWriter;
  /** Throws 429. */
  readonly countReveal: (subject: string) => void;
  readonly logger: Logger;
  readonly now: () => Date;
}) {
  const { store, workspaces, audit, logger, now, countReveal } = options;

  /** The workspace's own name, for who may do that there. Throws 404 and 403. */
  async function enter(caller: Caller, asked: string, action: SecretAction): Promise<string> {
    const { workspace, role } = await workspaces.accessOf(caller.principal, asked);
    const decision = may(role, action);
    if (!decision.allowed) throw decision.error;
    return workspace;
  }

  const enterAt = async (caller: Caller, name: string, action: SecretAction) => {
    const { workspace, id } = readSecretName(name);
    return { parent: await enter(caller, workspace, action), id };
  };

  /** The secret of a version; one that is deleted keeps its versions to itself. */
  const openedFor = async (caller: Caller, name: string, action: SecretAction): Promise<Secret> => {
    const { parent, id } = await enterAt(caller, name, action);
    return notDeleted(await store.find(parent, id));
  };

  const versionFor = async (
    caller: Caller,
    name: string,
    action: SecretAction,
  ): Promise<{ secret: Secret; version: SecretVersion }> => {
    const asked = readVersionName(name);
    const secret = await openedFor(caller, secretName({ parent: asked.workspace, id: asked.id }), action);
    const version = await store.versionAt(secret, asked.version);
    if (version === undefined) throw noSuchVersion();
    return { secret, version };
  };

  /** Changes a secret that is locked meanwhile, and records that if and only if it happens. */
  const change = async (
    caller: Caller,
    name: string,
    action: SecretAction,
    work: (within: TransactionSql, secret: Secret) => Promise<Secret>,
  ): Promise<Secret> => {
    const { parent, id } = await enterAt(caller, name, action);
    return store.transaction(async (within) => {
      const secret = await store.findForUpdate(within, parent, id);
      if (secret === undefined) throw noSuchSecret();
      const changed = await work(within, secret);
      await audit.record(recordOf(caller, action, secretName(secret)), within);
      return changed;
    });
  };

  return {
    createSecret: async (
      caller: Caller,
      wanted: Pick<Secret, 'displayName' | 'annotations'> & { readonly parent: string; readonly id: string },
    ): Promise<Secret> => {
      const action = 'actions/securestore/secrets/CREATE';
      const id = checkedId('a secret', wanted.id);
      const parent = await enter(caller, readWorkspace(wanted.parent), action);
      const described = {
        displayName: checkedDisplayName(wanted.displayName),
        annotations: checkedAnnotations(wanted.annotations),
      };
      const creator = principalName(caller);
      return store.sealing(async (within, vault) => {
        const secret = await store.insert(within, vault, {
          parent,
          id,
          ...described,
          creator,
          createdAt: now(),
        });
        if (secret === undefined) throw taken(id);
        await audit.record(recordOf(caller, action, secretName(secret)), within);
        return secret;
      });
    },

    getSecret: async (caller: Caller, name: string): Promise<Secret> => {
      const { parent, id } = await enterAt(caller, name, 'actions/securestore/secrets/GET');
      const secret = await store.find(parent, id);
      if (secret === undefined) throw noSuchSecret();
      return secret;
    },

    listSecrets: async (
      caller: Caller,
      asked: Page & { readonly parent: string; readonly showDeleted: boolean },
    ): Promise<{ secrets: readonly Secret[]; nextPageToken: string; totalSize: number }> => {
      const { limit, after } = placeOf(asked, anyId);
      const action = 'actions/securestore/secrets/LIST';
      const parent = await enter(caller, readWorkspace(asked.parent), action);
      const { showDeleted } = asked;
      const [found, totalSize] = await Promise.all([
        store.list(parent, { after, limit: limit + 1, showDeleted }),
        store.count(parent, showDeleted),
      ]);
      const { page, next } = cutPage(found, limit, ({ id }) => [id]);
      return { secrets: page, nextPageToken: next.nextPageToken ?? '', totalSize };
    },

    /** Deleting what is deleted changes nothing, so that a call whose answer was lost can be made again. */
    deleteSecret: (caller: Caller, name: string): Promise<Secret> =>
      change(caller, name, 'actions/securestore/secrets/DELETE', async (within, secret) => {
        if (secret.deleted !== undefined) return secret;
        const at = now();
        const purgeAt = new Date(at.getTime() + keptAfterDeletionMs);
        return store.setDeletion(within, secret, { by: principalName(caller), at, purgeAt });
      }),

    undeleteSecret: (caller: Caller, name: string): Promise<Secret> =>
      change(caller, name, 'actions/securestore/secrets/UNDELETE', async (within, secret) => {
        if (secret.deleted === undefined) return secret;
        // The sweep comes by once a day, and what it would take is gone already.
        if (secret.deleted.purgeAt <= now()) throw noSuchSecret();
        return store.setDeletion(within, secret, undefined);
      }),

    createVersion: async (caller: Caller, parent: string, value: Uint8Array): Promise<SecretVersion> => {
      const action = 'actions/securestore/versions/CREATE';
      checkedValue(value);
      const at = await enterAt(caller, parent, action);
      const creator = principalName(caller);
      return store.sealing(async (within, vault) => {
        const secret = notDeleted(await store.findForUpdate(within, at.parent, at.id));
        const values = new Map([[plainKey, value]]);
        const version = await store.addVersion(within, vault, secret, { values, creator, createdAt: now() });
        await audit.record(recordOf(caller, action, versionName(version)), within);
        return version;
      });
    },

    getVersion: async (caller: Caller, name: string): Promise<SecretVersion> =>
      (await versionFor(caller, name, 'actions/securestore/versions/GET')).version,

    listVersions: async (
      caller: Caller,
      asked: Page & { readonly parent: string },
    ): Promise<{ versions: readonly SecretVersion[]; nextPageToken: string; totalSize: number }> => {
      const { limit, after } = placeOf(asked, /^[1-9]\d{0,8}$/);
      const secret = await openedFor(caller, asked.parent, 'actions/securestore/versions/LIST');
      const [found, totalSize] = await Promise.all([
        store.listVersions(secret, {
          before: after === undefined ? undefined : Number(after),
          limit: limit + 1,
        }),
        store.countVersions(secret),
      ]);
      const { page, next } = cutPage(found, limit, ({ number }) => [String(number)]);
      return { versions: page, nextPageToken: next.nextPageToken ?? '', totalSize };
    },

    /** The value leaves only after the trail has it durably who read it. */
    revealValue: async (
      caller: Caller,
      name: string,
    ): Promise<{ version: SecretVersion; value: Uint8Array }> => {
      const action = 'actions/securestore/versions/REVEALVALUE';
      countReveal(caller.principal.subject);
      const { secret, version } = await versionFor(caller, name, action);
      const value = await store.open(secret, version, plainKey);
      if (value === undefined) throw severalValues(await store.keysOf(version));
      await audit.record(recordOf(caller, action, versionName(version)));
      return { version, value };
    },

    /** Removes for good what was deleted thirty days ago. */
    sweep: async (): Promise<void> => {
      for (let purged = 1; purged > 0; ) {
        purged = await store.purge(now());
        if (purged > 0) logger.info({ purged }, 'Deleted secrets were purged.');
      }
    },
  };
}

function notDeleted(secret: Secret | undefined): Secret {
  if (secret === undefined) throw noSuchSecret();
  if (secret.deleted === undefined) return secret;
  throw invalid(
    'failed_precondition',
    'This secret is deleted, so its versions are out of reach. Undelete it first.',
  );
}

const taken = (id: string): HaicError =>
  conflict(
    'secret_exists',
    `This workspace has a secret "${id}" already; it may be a deleted one, which is purged after thirty days. Choose another id, or undelete it.`,
  );

const severalValues = (keys: readonly string[]): HaicError =>
  invalid(
    'failed_precondition',
    `This secret was made for apps and holds ${keys.join(', ')}; there is no single value to reveal.`,
  );
