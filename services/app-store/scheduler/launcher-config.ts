/**
 * What one instance is: written by the scheduler into the workload's secret (`/var/run/haic/instance.json`), read once by the
 * launcher. It holds secrets (HMAC key, client secret, values of app.toml): never logged, never passed on as a whole. Values of the secrets that
 * app.toml names are not in it: the launcher asks for them at each start (`secretValues`).
 */
export interface LauncherConfig {
  readonly instanceId: string;
  readonly appId: string;
  readonly appName: string;
  readonly appVersion: string;
  readonly ownerUsername: string;
  readonly visibility: 'PRIVATE' | 'ALL_USERS' | 'PUBLIC';
  /** Origin of the platform without a trailing slash: the app's H2O_CLOUD_ENVIRONMENT. */
  readonly publicUrl: string;
  /** Where people open this instance, with its trailing slash. */
  readonly instanceUrl: string;
  /** `/` or `/instance/<id>/`. */
  readonly baseUrl: string;
  readonly mode: 'wave' | 'python';
  /** Dotted Python module of the app. */
  readonly module: string;
  /** Python version such as `3.11`, or a runtime's name that ends in one (`python-3.11`); empty for the platform's default. */
  readonly runtimeVersion: string;
  /** What the runtime version of the app's manifest asks of every environment on it. */
  readonly runtime?: {
    readonly name: string;
    /** Lines of a constraints file. */
    readonly constraints?: string;
    /** YYYY-MM-DD: nothing that was published later is installed. */
    readonly cutOff?: string;
  };
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly files: readonly { readonly path: string; readonly value: string }[];
  /** Whether app.toml names secrets, for which the launcher asks the store. */
  readonly secrets: boolean;
  /** A directory in memory for files that hold secrets; undefined when no file does. */
  readonly secretFiles?: string;
  /** Absolute path of the persistent data volume, as the app's manifest asks for it. */
  readonly volumeMount?: string;
  /** Origin that serves `/api/launcher/v1`. */
  readonly storeUrl: string;
  /** Hex. Signs the launcher's own calls to the store. */
  readonly hmacKey: string;
  readonly oidc: OidcSettings | null;
  /** Serve the token endpoint of a PRIVATE instance on its loopback (design §6). */
  readonly platformHandle: boolean;
  /** The one of the machine. Where there is none, the launcher makes the environment itself, with the installer of its image. */
  readonly installer?: { readonly socket: string };
  readonly network: {
    readonly pypiIndex?: string;
    readonly httpProxy?: string;
    /** Path of a PEM file that the sandbox can read. */
    readonly caFile?: string;
    /** PEM: authorities to trust beside the usual ones, where no file of the platform's is to be seen. */
    readonly authorities?: string;
  };
}

/** What the store answers to `POST /api/launcher/v1/instances/<id>/secrets`. An optional secret that is not there is left out. */
export interface SecretValues {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly files: readonly { readonly path: string; readonly base64: string }[];
}

/** waved's own OIDC client (contract wave-app §6). All of the first four, or waved would run without authentication. */
export interface OidcSettings {
  /** Issuer without a trailing slash. */
  readonly providerUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUrl: string;
  readonly endSessionUrl: string;
  readonly postLogoutRedirectUrl: string;
}
