import type { Readable } from 'node:stream';
import type { Principal } from '@haic/kit/auth/principal.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { AppOfSecrets } from '@haic/services/secrets/app-secrets/client.ts';
import type { WorkspaceActor } from '@haic/services/workspaces/client.ts';

export { type SecretWanted, secretsLacking, secretsWanted } from './manifest/secrets.ts';

export type Visibility = 'PRIVATE' | 'ALL_USERS' | 'PUBLIC';
export type Lifecycle = 'ON_DEMAND' | 'MANAGED' | 'LINK';
/** `container` does not occur: this installation's runtime refuses it at import. */
export type AppMode = 'wave' | 'python';
export type RoutingMode = 'DOMAIN' | 'BASE_URL';

/** Where a value comes from: written in app.toml, or a key of a secret. */
export type ValueSource =
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'secret'; readonly secret: string; readonly key: string; readonly optional: boolean };

export interface ManifestEnv {
  readonly name: string;
  readonly from: ValueSource;
}

export interface ManifestFile {
  /** As written: relative to the app's directory, or absolute. Normalised, without `..`. */
  readonly path: string;
  readonly from: ValueSource;
}

export interface ManifestRuntime {
  /** Dotted Python identifiers. Undefined only for LINK apps. */
  readonly module: string | undefined;
  /** Canonical name of a configured runtime version (aliases and the default are resolved). Undefined only for LINK apps. */
  readonly runtimeVersion: string | undefined;
  readonly mode: AppMode;
  readonly routingMode: RoutingMode;
  /** Only with mode `python`: the port that the app listens on. */
  readonly port: number | undefined;
  readonly oidc: boolean;
  readonly sharedMemory: boolean;
  readonly volumeMount: string | undefined;
  /** Bytes. */
  readonly volumeSize: number | undefined;
  readonly resourceVolumeSize: number | undefined;
  readonly memoryLimit: number | undefined;
  readonly memoryReservation: number | undefined;
  /** Thousandths of a core. */
  readonly cpuLimit: number | undefined;
  readonly cpuReservation: number | undefined;
}

/** app.toml, checked: whoever holds one may rely on every rule of contracts/wave-app.md §2. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** Falls back to the name. */
  readonly title: string;
  readonly description: string;
  /** Path in the bundle. */
  readonly longDescriptionPath: string | undefined;
  readonly tags: readonly string[];
  readonly lifecycle: Lifecycle;
  /** Seconds; `never` for -1; undefined: the installation's default. */
  readonly instanceTimeout: number | 'never' | undefined;
  readonly runtime: ManifestRuntime;
  /** Of several entries of one name the last one is here. */
  readonly env: readonly ManifestEnv[];
  readonly files: readonly ManifestFile[];
  /** Http or https URL; set exactly when the lifecycle is LINK. */
  readonly linkAddress: string | undefined;
}

export interface AppOwner {
  readonly subject: string;
  readonly username: string;
}

export interface AppAsset {
  /** `icon` or `screenshot-<n>` with its extension: the last segment of its address. */
  readonly name: string;
  readonly kind: 'icon' | 'screenshot';
  readonly contentType: 'image/png' | 'image/jpeg';
  readonly size: number;
  /** Of the blob; changes with the content. */
  readonly etag: string;
}

/** Something that an app needs and this installation does not have (any more), in plain words with the remedy. */
export interface PreconditionProblem {
  /** Stable: `runtime_version_unknown`, `python_missing`, `secret_missing`, `secret_key_missing`, `secret_refused`, `bundle_missing`, `bundle_damaged`, … */
  readonly code: string;
  readonly message: string;
  /** False for a warning. */
  readonly blocks: boolean;
}

/** Whether an app can run here, as it was found last. FAILED: listed and not runnable. */
export interface Precondition {
  readonly status: 'PASSED' | 'FAILED';
  readonly problems: readonly PreconditionProblem[];
  /** ISO 8601. */
  readonly checkedAt: string;
}

/** One (name, version). Immutable but for its visibility, its owner and what the checker finds. */
export interface App {
  /** UUID. */
  readonly id: string;
  readonly owner: AppOwner;
  /** The app gets what of the secrets is theirs to give, whoever owns it later. */
  readonly importedBy: AppOwner;
  readonly visibility: Visibility;
  readonly manifest: Manifest;
  /** Markdown. */
  readonly longDescription: string;
  readonly assets: readonly AppAsset[];
  /** Lower-case hex. */
  readonly bundleSha256: string;
  readonly bundleSize: number;
  readonly precondition: Precondition;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a person may do with an app, by the client that asks for them. */
export interface AppAccess {
  readonly canSee: boolean;
  readonly canRun: boolean;
  /** Why not, in plain words; empty when `canRun`. */
  readonly cannotRunBecause: string;
  readonly canManage: boolean;
}

/** An app as the secrets look at it, with what its importer may at this moment. Somebody who is gone has no roles any more. */
export async function appOfSecrets(
  app: Pick<App, 'manifest' | 'importedBy' | 'owner'>,
  identity: Pick<IdentityClient, 'findPerson'>,
): Promise<AppOfSecrets> {
  return {
    name: app.manifest.name,
    importer: await actorOf(app.importedBy, identity),
    isImporters: app.owner.subject === app.importedBy.subject,
  };
}

export async function actorOf(
  { subject, username }: AppOwner,
  identity: Pick<IdentityClient, 'findPerson'>,
): Promise<WorkspaceActor> {
  const person = await identity.findPerson(subject);
  const known = person?.disabled === false ? person : undefined;
  return { subject, username, roles: known?.roles ?? [], groups: known?.groups ?? [] };
}

/** What the scheduler and other services ask of the catalog. Not authorised by itself: the caller asks `accessOf`. */
export interface CatalogClient {
  getApp(id: string): Promise<App | undefined>;
  /** Those of the ids that exist, in no order: for lists of instances. */
  getApps(ids: readonly string[]): Promise<readonly App[]>;
  /** The zip as imported. Undefined when the app is not there (any more). */
  openBundle(
    id: string,
    options: { signal: AbortSignal },
  ): Promise<{ size: number; content: Readable } | undefined>;
  /** requirements.txt or packages.txt of the bundle; undefined when the bundle has none or the app is not there. */
  readText(
    id: string,
    file: 'requirements.txt' | 'packages.txt',
    options: { signal: AbortSignal },
  ): Promise<string | undefined>;
  accessOf(principal: Principal, app: App): AppAccess;
  /** Every version that is a person's; by the name for those who are gone. The newest first. */
  appsOwnedBy(owner: { subject: string } | { username: string }): Promise<readonly App[]>;
  /** Every version whose app.toml names the secret, in these words. */
  appsNaming(secret: string): Promise<readonly App[]>;
  /** Looks again whether these apps can run: something that they need is there again, or is gone. */
  recheck(apps: readonly App[], signal: AbortSignal): Promise<void>;
  /** Authorised here, unlike the rest: the same as PATCH with an owner, and throws what that answers. */
  handOver(principal: Principal, id: string, username: string): Promise<void>;
  /** Address of the app's icon, or null. */
  iconUrl(app: App): string | null;
}

/**
 * What the catalog asks of the scheduler: how many instances of an app there are, to refuse its deletion. A function, because
 * the scheduler is composed after the catalog.
 */
export type InstancesOf = (appId: string) => Promise<number>;

/** What the catalog tells the scheduler: instances say whose their app is. What is lost with a crash the scheduler finds by itself. */
export type WhenAppIsHandedOver = (appId: string, owner: string) => Promise<void>;
