/** The App Store's public API as the portal reads it: JSON as it travels, so dates are ISO 8601 strings. */

export type Visibility = 'PRIVATE' | 'ALL_USERS' | 'PUBLIC';
export type Lifecycle = 'ON_DEMAND' | 'MANAGED' | 'LINK';
export type InstanceStatus = 'PENDING' | 'STARTING' | 'DEPLOYED' | 'FAILED' | 'SUSPENDED' | 'TERMINATING';

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken?: string;
}

export interface Session {
  readonly signedIn: boolean;
  readonly username?: string;
  readonly csrfToken?: string;
}

export interface Me {
  readonly subject: string;
  readonly username: string;
  readonly name?: string;
  readonly email?: string;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly isAdmin: boolean;
  readonly fullAccess: boolean;
  readonly isolation: {
    readonly kind: string;
    readonly isolation: readonly string[];
    /** What this installation cannot keep apart, in plain words. */
    readonly missing: readonly { readonly what: string; readonly remedy: string }[];
    /** What is wrong at this moment with what apps run on. */
    readonly trouble?: { readonly what: string; readonly remedy: string };
  };
  readonly environment: {
    readonly publicUrl: string;
    readonly issuerUrl: string;
    readonly platformClientId: string;
    readonly cliClientId: string;
    readonly tokenEndpoint: string;
  };
}

export interface Owner {
  readonly subject: string;
  readonly username: string;
}

/** Whether an app can still run here, as the platform found it last. */
export interface Precondition {
  readonly status: 'PASSED' | 'FAILED';
  readonly problems: readonly {
    readonly code: string;
    readonly message: string;
    /** False for a warning: the app runs. */
    readonly blocks: boolean;
  }[];
  readonly checkedAt: string;
}

export interface AppVersion {
  readonly id: string;
  readonly version: string;
  readonly createdAt: string;
  readonly canRun: boolean;
  readonly precondition: Precondition['status'];
}

export interface App {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  /** Markdown, written by the app's author: never trusted as HTML. */
  readonly longDescription: string;
  readonly icon: string | null;
  readonly screenshots: readonly string[];
  readonly owner: Owner;
  readonly visibility: Visibility;
  readonly lifecycle: Lifecycle;
  readonly tags: readonly string[];
  readonly mode: string;
  readonly routingMode: string;
  readonly oidc: boolean;
  readonly precondition: Precondition;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Where a LINK app leads. */
  readonly linkAddress?: string | null;
  /** Only in the answer for one app. */
  readonly versions?: readonly AppVersion[];
  readonly canRun: boolean;
  /** Why not, in plain words. */
  readonly cannotRunBecause?: string;
  readonly canManage: boolean;
  readonly canDownload?: boolean;
}

export type StageName = 'queued' | 'fetching' | 'installing' | 'starting' | 'ready';

export interface Stage {
  readonly name: StageName;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly usualSeconds?: number;
}

export interface LastFailure {
  readonly exitCode?: number | null;
  readonly reason: string;
  readonly message: string;
  readonly finishedAt: string;
}

export interface Instance {
  readonly id: string;
  readonly app: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly title: string;
    readonly icon: string | null;
  };
  readonly owner: Owner;
  readonly visibility: Visibility;
  readonly status: InstanceStatus;
  /** A CamelCase word, or empty. */
  readonly reason: string;
  /** The reason in plain words, or empty. */
  readonly message: string;
  readonly since: string;
  readonly url: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Seconds. */
  readonly suspendAfter: number | 'never';
  /** When it pauses by itself; null while it is paused, and when it never does. */
  readonly suspendAt: string | null;
  readonly restartCount: number;
  readonly lastFailure?: LastFailure;
  readonly stages: readonly Stage[];
  readonly canManage: boolean;
  readonly canSetSuspendAfter: boolean;
  readonly canOpen: boolean;
  readonly canReadLogs: boolean;
}

export type TokenKind = 'platform' | 'cli';

/** One thing that is wrong with a bundle; in `details.problems` of the error `bundle_invalid`. */
export interface BundleProblem {
  readonly file?: string;
  readonly key?: string;
  readonly message: string;
  readonly remedy?: string;
}
