import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';
import type { WorkspaceActor, WorkspaceRole, WorkspacesClient } from '@haic/services/workspaces/client.ts';
import { appParent, type KeptSecret, type OnBehalf, type SecretsClient } from '../client.ts';
import type {
  AppOfSecrets,
  AppSecretsClient,
  SecretLack,
  SecretOutcome,
  SecretReference,
  SecretUse,
} from './client.ts';
import { parseReference } from './model.ts';
import { type LendingDecision, type LentFrom, mayLend, mayUse } from './policy.ts';

export interface LendingParts {
  readonly store: Pick<SecretsClient, 'find' | 'use'>;
  readonly workspaces: WorkspacesClient;
}

/** A secret that a reference leads to. */
interface Found {
  readonly secret: KeptSecret;
  readonly from: LentFrom;
}

type Resolution = { readonly found: Found } | { readonly lack: SecretLack };

/** Which secrets apps get: names are looked up anew each time, by what their importer and their user may at that moment. */
export function createAppSecrets(parts: LendingParts): AppSecretsClient {
  async function examine(
    app: AppOfSecrets,
    references: readonly SecretReference[],
    user: WorkspaceActor | undefined,
  ): Promise<readonly Resolution[]> {
    const look = createLookup(parts, app, user);
    const resolutions: Resolution[] = [];
    for (const reference of references) {
      const found = await look(reference.secret);
      resolutions.push(found === undefined ? { lack: missing(reference) } : judged(reference, found, app));
    }
    return resolutions;
  }

  return {
    examine: (app, references, user) =>
      unlessAway(async () =>
        (await examine(app, references, user)).map((one) => ('lack' in one ? one.lack : undefined)),
      ),
    use: (use, references) =>
      unlessAway(async () => {
        const resolutions = await examine(use.app, references, use.user);
        const opened = new Map<string, ReadonlyMap<string, Uint8Array>>();
        for (const { secret, keys } of secretsIn(resolutions, references)) {
          opened.set(secret.uid, await parts.store.use(secret, keys, onBehalfOf(use, keys)));
        }
        return resolutions.map((one, index): SecretOutcome => {
          const reference = references[index] as SecretReference;
          if ('lack' in one) return one;
          const value = opened.get(one.found.secret.uid)?.get(reference.key);
          return value === undefined ? { lack: missing(reference) } : { value };
        });
      }),
  };
}

/** The secret that an app gets for a reference; undefined when it gets none. */
export async function secretNamed(
  parts: LendingParts,
  app: AppOfSecrets,
  reference: string,
): Promise<KeptSecret | undefined> {
  const found = await createLookup(parts, app, undefined)(reference);
  return found !== undefined && decide(found, app) === 'yes' ? found.secret : undefined;
}

/** Where a name leads for an app: the nearest first. Each secret and each membership is asked for once. */
function createLookup(
  { store, workspaces }: LendingParts,
  app: AppOfSecrets,
  user: WorkspaceActor | undefined,
): (reference: string) => Promise<Found | undefined> {
  const once = memo();
  const access = (actor: WorkspaceActor, workspace: string) =>
    once(`access ${actor.subject} ${workspace}`, () => accessOf(workspaces, actor, workspace));
  const find = (parent: string, id: string) =>
    once(`secret ${parent} ${id}`, () => store.find({ parent, id }));

  const everybodys = async () => (await access(anybody, 'workspaces/global'))?.workspace;
  const personal = async () => (await access(app.importer, 'workspaces/default'))?.workspace;

  async function within(
    workspace: string | undefined,
    name: string,
    from: LentFrom,
  ): Promise<Found | undefined> {
    const secret = workspace === undefined ? undefined : await find(workspace, name);
    return secret === undefined ? undefined : { secret, from };
  }

  /** As its importer names it; `default` is theirs. */
  async function inWorkspace(alias: string, name: string): Promise<Found | undefined> {
    if (alias === 'workspaces/global' || alias === (await everybodys()))
      return within(await everybodys(), name, { kind: 'ALL_USERS' });
    const importers = await access(app.importer, alias);
    // Not there for the importer: then nobody learns from their app whether it is.
    if (importers === undefined) return undefined;
    if (importers.workspace === (await personal()))
      return within(importers.workspace, name, { kind: 'PRIVATE' });
    const userRole = user === undefined ? importers.role : (await access(user, importers.workspace))?.role;
    return within(importers.workspace, name, { kind: 'WORKSPACE', importerRole: importers.role, userRole });
  }

  async function nearest(name: string): Promise<Found | undefined> {
    const own = await within(await personal(), name, { kind: 'PRIVATE' });
    if (own !== undefined) return own;
    const secret = await find(appParent(app.name), name);
    const ofApp = secret && ({ secret, from: { kind: 'APP' } } as const);
    if (ofApp !== undefined && decide(ofApp, app) === 'yes') return ofApp;
    return within(await everybodys(), name, { kind: 'ALL_USERS' });
  }

  return async (reference) => {
    const parsed = parseReference(reference);
    if (parsed === undefined) return undefined;
    return parsed.workspace === undefined ? nearest(parsed.name) : inWorkspace(parsed.workspace, parsed.name);
  };
}

/** What is for everybody's apps does not hang on whether the importer is still there. */
const anybody: WorkspaceActor = {
  subject: 'services/app-store',
  username: 'app-store',
  roles: ['user'],
  groups: [],
};

/** Undefined when there is no such workspace for them. */
async function accessOf(
  workspaces: WorkspacesClient,
  actor: WorkspaceActor,
  workspace: string,
): Promise<{ workspace: string; role: WorkspaceRole } | undefined> {
  try {
    return await workspaces.accessOf(actor, workspace);
  } catch (error) {
    if (error instanceof HaicError && error.status === 404) return undefined;
    throw error;
  }
}

function onBehalfOf({ app, instanceId, user }: SecretUse, keys: readonly string[]): OnBehalf {
  const { importer } = app;
  return {
    principal: `users/${user.subject}`,
    metadata: {
      app: app.name,
      app_id: app.id,
      instance: instanceId,
      keys: keys.join(','),
      ...(importer.subject === user.subject ? {} : { importer: importer.username }),
    },
  };
}

function decide({ from }: Found, app: AppOfSecrets): LendingDecision {
  const lending = {
    from,
    importerIsAdmin: app.importer.roles.includes('admin'),
    isImporters: app.isImporters,
  };
  const lent = mayLend(lending);
  return lent === 'yes' ? mayUse(lending) : lent;
}

function judged(reference: SecretReference, found: Found, app: AppOfSecrets): Resolution {
  const decision = decide(found, app);
  if (decision === 'hidden') return { lack: missing(reference) };
  if (decision !== 'yes')
    return {
      lack: {
        code: 'secret_refused',
        message: `The secret "${reference.secret}" is not for this app. ${decision.refused}`,
        remedy: decision.remedy,
      },
    };
  if (found.secret.keys.includes(reference.key)) return { found };
  return {
    lack: {
      code: 'secret_key_missing',
      message: `The secret "${reference.secret}" has no key "${reference.key}".`,
      remedy:
        'Add the key to the secret, name another key, or write Optional = true if the app can do without.',
    },
  };
}

const missing = ({ secret }: SecretReference): SecretLack => ({
  code: 'secret_missing',
  message: `There is no secret "${secret}" that this app may have.`,
  remedy: 'Create it, name another one, or write Optional = true if the app can do without.',
});

/** Each secret that is found once, with the keys of it that are asked for. */
function secretsIn(resolutions: readonly Resolution[], references: readonly SecretReference[]) {
  const secrets = new Map<string, { secret: KeptSecret; keys: string[] }>();
  for (const [index, one] of resolutions.entries()) {
    if ('lack' in one) continue;
    const { secret } = one.found;
    const key = references[index]?.key ?? '';
    const known = secrets.get(secret.uid);
    if (known === undefined) secrets.set(secret.uid, { secret, keys: [key] });
    else if (!known.keys.includes(key)) known.keys.push(key);
  }
  return secrets.values();
}

function memo(): <T>(key: string, make: () => Promise<T>) => Promise<T> {
  const made = new Map<string, unknown>();
  return async <T>(key: string, make: () => Promise<T>): Promise<T> => {
    const before = made.get(key);
    if (before !== undefined) return (before as { value: T }).value;
    const value = await make();
    made.set(key, { value });
    return value;
  };
}

/** Whatever keeps a secret from being read: whoever starts an app learns that it is not the app's fault, and the log learns what it is. */
async function unlessAway<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HaicError && error.status === 503) throw error;
    throw unavailable(
      'secure_store_unavailable',
      `The secrets of apps cannot be read just now (${error instanceof HaicError ? messageOf(error) : 'the log of Haic has the reason'}). Nothing was changed; try again in a moment.`,
      { cause: error },
    );
  }
}
