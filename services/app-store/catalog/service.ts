import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { deadline } from '@haic/kit/deadline.ts';
import { conflict, invalid, notFound, tooMany } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { AppSecretsClient } from '@haic/services/secrets/app-secrets/client.ts';
import type { AppBlobs } from './blobs.ts';
import type { BundleLimits } from './bundle/limits.ts';
import { readBundle } from './bundle/read-bundle.ts';
import type { CheckSummary, PreconditionChecker } from './checker.ts';
import type { App, AppAsset, InstancesOf, Visibility, WhenAppIsHandedOver } from './client.ts';
import type { ManifestRules } from './manifest/parse-manifest.ts';
import type { RuntimeVersion } from './manifest/runtime.ts';
import {
  canSee,
  type Decision,
  type DownloadRule,
  hasFullAccess,
  isAdmin,
  mayAsk,
  mayCheckAll,
  mayDownload,
  mayImport,
  mayManage,
  mayOwn,
} from './policy.ts';
import { preconditionOf } from './preconditions.ts';
import type { AppVersion } from './present.ts';
import { type AppScope, type AppStore, appExists } from './store.ts';
import { receiveUpload, type Upload } from './uploads.ts';

export interface CatalogParts {
  readonly store: AppStore;
  readonly blobs: AppBlobs;
  readonly limits: BundleLimits;
  readonly rules: ManifestRules;
  readonly checker: PreconditionChecker;
  readonly downloads: DownloadRule;
  /** Versions that a person may have of one app. */
  readonly versionLimit: number;
  readonly instancesOf: InstancesOf;
  /** Removes blobs, unless a backup is being made, which may have their app in it: then false, and a later sweep does it. */
  readonly unlessBackedUp: (work: () => Promise<void>) => Promise<boolean>;
  readonly identity: Pick<IdentityClient, 'findPersonByName'>;
  readonly secrets: Pick<AppSecretsClient, 'examine'>;
  readonly whenAppIsHandedOver: WhenAppIsHandedOver;
  readonly temporaryDirectory: string;
  readonly logger: Logger;
}

/** An import writes blobs before its row; what is younger than this may still get its row from another process. */
const orphanAgeMs = 60 * 60 * 1000;
const checkAllMs = 10 * 60 * 1000;

export type CatalogService = ReturnType<typeof createCatalogService>;

export function createCatalogService(parts: CatalogParts) {
  const { store, blobs, limits, logger, rules, checker } = parts;
  const importing = new Set<string>();

  /** 404 for what the person may not know of. */
  async function getApp(principal: Principal, id: string): Promise<App> {
    const app = isAppId(id) ? await store.get(id) : undefined;
    if (app === undefined || !canSee(principal, app)) throw notFound('This app');
    return app;
  }

  async function getManaged(principal: Principal, id: string): Promise<App> {
    const app = await getApp(principal, id);
    enforce(mayManage(principal, app));
    return app;
  }

  return {
    getApp,

    /** Before the first byte is read: who may not import, or not now, need not upload. */
    admitImport(principal: Principal): void {
      enforce(mayImport(principal));
      if (importing.size >= limits.concurrentImports)
        throw tooMany('Too many bundles are being imported right now. Try again in a minute.');
    },

    async importBundle(
      principal: Principal,
      content: Readable,
      options: { visibility: Visibility; signal: AbortSignal },
    ): Promise<App> {
      this.admitImport(principal);
      const id = randomUUID();
      importing.add(id);
      try {
        const upload = await receiveUpload(parts.temporaryDirectory, content, limits, options.signal);
        try {
          return await keepBundle(parts, id, principal, upload, options);
        } finally {
          await upload.remove();
        }
      } finally {
        importing.delete(id);
      }
    },

    async listApps(
      principal: Principal,
      query: {
        text: string;
        allVersions: boolean;
        everything: boolean;
        ownOnly: boolean;
        precondition?: 'PASSED' | 'FAILED' | undefined;
        tag?: string | undefined;
        owner?: string | undefined;
        visibility?: Visibility | undefined;
        after: PagePoint | undefined;
        limit: number;
      },
    ): Promise<App[]> {
      if (!hasFullAccess(principal)) return [];
      return store.list({
        scope: { ...scopeOf(principal, query.everything), ownOnly: query.ownOnly },
        query: query.text,
        newestOnly: !query.allVersions,
        precondition: query.precondition,
        tag: query.tag,
        owner: query.owner,
        visibility: query.visibility,
        after: query.after,
        limit: query.limit,
      });
    },

    async versionsOf(principal: Principal, app: App): Promise<AppVersion[]> {
      return store.versions(app.manifest.name, scopeOf(principal, true));
    },

    listRuntimeVersions(principal: Principal): readonly RuntimeVersion[] {
      enforce(mayAsk(principal));
      return rules.runtimeVersions;
    },

    async checkPreconditions(principal: Principal): Promise<CheckSummary> {
      enforce(mayCheckAll(principal));
      return checker.checkAll(AbortSignal.timeout(checkAllMs));
    },

    async checkPrecondition(principal: Principal, id: string): Promise<App> {
      const app = await getManaged(principal, id);
      const signal = AbortSignal.timeout(limits.checkSeconds * 1000);
      return { ...app, precondition: await checker.checkOne(app, { thorough: true, signal }) };
    },

    async setVisibility(principal: Principal, id: string, visibility: Visibility): Promise<App> {
      await getManaged(principal, id);
      const app = await store.setVisibility(id, visibility);
      if (app === undefined) throw notFound('This app');
      logger.info({ appId: id, visibility, by: principal.username }, 'app visibility changed');
      return app;
    },

    /** Gives the app to somebody else; this version of it. */
    async handOver(principal: Principal, id: string, username: string): Promise<App> {
      const before = await getManaged(principal, id);
      const person = await parts.identity.findPersonByName(username);
      if (person === undefined || !mayOwn(person)) throw unsuitableOwner(username);
      if (person.subject === before.owner.subject) return before;
      const app = await store.setOwner(id, { subject: person.subject, username: person.username });
      if (app === undefined) throw notFound('This app');
      logger.info(
        { appId: id, from: before.owner.username, to: person.username, by: principal.username },
        'app handed over',
      );
      await parts
        .whenAppIsHandedOver(id, person.subject)
        .catch((error: unknown) =>
          logger.warn({ err: error, appId: id }, 'the instances of a handed over app learn of it later'),
        );
      return app;
    },

    async deleteApp(principal: Principal, id: string, signal: AbortSignal): Promise<void> {
      const app = await getManaged(principal, id);
      const instances = await parts.instancesOf(id);
      if (instances > 0)
        throw conflict(
          'app_in_use',
          `${app.manifest.title} ${app.manifest.version} has ${instances} instance${instances === 1 ? '' : 's'}. Terminate them first, or make the app PRIVATE to retire it.`,
          { details: { instances } },
        );
      await store.delete(id);
      logger.info({ appId: id, name: app.manifest.name, by: principal.username }, 'app deleted');
      await parts.unlessBackedUp(() => blobs.remove(id, signal));
    },

    async openAsset(principal: Principal, id: string, name: string) {
      const app = await getApp(principal, id);
      const asset = app.assets.find((candidate) => candidate.name === name);
      if (asset === undefined) throw notFound('This image');
      return {
        asset,
        open: async (signal: AbortSignal) => {
          const content = await blobs.openAsset(id, name, signal);
          if (content === undefined) throw notFound('This image');
          return content;
        },
      };
    },

    async openBundle(principal: Principal, id: string) {
      const app = await getApp(principal, id);
      enforce(mayDownload(principal, app, parts.downloads));
      return {
        app,
        open: async (signal: AbortSignal) => {
          const bundle = await blobs.openBundle(id, signal);
          if (bundle === undefined) throw notFound('This app');
          return bundle.content;
        },
      };
    },

    /** Removes blobs without a row: what a crash during an import or a deletion left. Returns their number. */
    async sweep(options: { olderThanMs?: number; signal?: AbortSignal } = {}): Promise<number> {
      const signal = options.signal ?? new AbortController().signal;
      let swept = 0;
      for await (const page of blobs.owned(
        new Date(Date.now() - (options.olderThanMs ?? orphanAgeMs)),
        signal,
      )) {
        const known = await store.knownIds([...new Set(page.map(({ appId }) => appId).filter(isAppId))]);
        for (const { key, appId } of page) {
          if (known.has(appId) || importing.has(appId)) continue;
          if (await parts.unlessBackedUp(() => blobs.delete(key, signal))) swept += 1;
        }
      }
      if (swept > 0) logger.info({ swept }, 'blobs without an app removed');
      return swept;
    },
  };
}

export interface PagePoint {
  readonly createdAt: Date;
  readonly id: string;
}

/** Checks, then blobs, then the row that makes the app exist. What fails takes its blobs with it. */
async function keepBundle(
  parts: CatalogParts,
  id: string,
  principal: Principal,
  upload: Upload,
  options: { visibility: Visibility; signal: AbortSignal },
): Promise<App> {
  const { store, blobs, limits, rules, logger } = parts;
  const signal = deadline(limits.checkSeconds * 1000, options.signal);
  const assets: AppAsset[] = [];
  try {
    const bundle = await readBundle(
      upload.file,
      {
        limits,
        rules,
        examineSecrets: (name, references) =>
          parts.secrets.examine({ name, importer: principal, isImporters: true }, references),
        signal,
      },
      async ({ name, version }) => {
        if (await store.exists(name, version)) throw appExists({ name, version });
        await store.checkVersionLimit(name, principal.subject, parts.versionLimit);
      },
      async (image) => void assets.push(await blobs.putAsset(id, image, signal)),
    );
    await blobs.putBundle(id, upload, options.signal);
    const createdAt = new Date();
    const importer = { subject: principal.subject, username: principal.username };
    const app: App = {
      id,
      owner: importer,
      importedBy: importer,
      visibility: options.visibility,
      manifest: bundle.manifest,
      longDescription: bundle.longDescription,
      assets,
      bundleSha256: upload.sha256,
      bundleSize: upload.size,
      // What could be missing would have refused the import.
      precondition: preconditionOf([], createdAt),
      createdAt,
      updatedAt: createdAt,
    };
    await store.insert(
      { ...app, requirements: bundle.requirements, packages: bundle.packages },
      parts.versionLimit,
    );
    logger.info(
      { appId: id, name: bundle.manifest.name, version: bundle.manifest.version, by: principal.username },
      'app imported',
    );
    return app;
  } catch (error) {
    // Even when the caller is gone; what cannot be removed now is swept later.
    await blobs
      .remove(id, AbortSignal.timeout(30_000))
      .catch((cause) => logger.warn({ err: cause, appId: id }, 'blobs of a failed import remain'));
    throw error;
  }
}

export const isAppId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

/** Administrators see everything where they ask for it; the policy's `canSee` says the same of one app. */
function scopeOf(principal: Principal, everything: boolean): AppScope {
  const mayAll = isAdmin(principal) && canSee(principal, foreignPrivateApp);
  return { subject: principal.subject, everything: everything && mayAll, ownOnly: false };
}

const foreignPrivateApp = {
  owner: { subject: '', username: '' },
  visibility: 'PRIVATE',
  manifest: { lifecycle: 'ON_DEMAND' },
  precondition: preconditionOf([], new Date(0)),
} satisfies Parameters<typeof canSee>[1];

const unsuitableOwner = (username: string) =>
  invalid(
    'unsuitable_owner',
    `Nobody of the user name "${username.slice(0, 60)}" may own apps here. It takes somebody who is not disabled and has full access: the role "user" or "admin".`,
  );

function enforce(decision: Decision): void {
  if (!decision.allowed) throw decision.error;
}
