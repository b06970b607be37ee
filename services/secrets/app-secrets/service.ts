import type { Principal } from '@haic/kit/auth/principal.ts';
import { conflict, type HaicError, invalid, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { WorkspacesClient } from '@haic/services/workspaces/client.ts';
import type { Caller } from '../caller.ts';
import {
  appParent,
  type KeptSecret,
  type OnBehalf,
  type SecretPlace,
  type SecretsClient,
} from '../client.ts';
import { createRevealCounter, usualRevealRate } from '../reveal-rate.ts';
import {
  checkedName,
  checkedValues,
  isAppName,
  isSecretName,
  type SecretValues,
  type SecretVisibility,
} from './model.ts';
import { type Decision, mayChange, mayReveal, maySee } from './policy.ts';
import type { createSecretUsers, SecretUsers } from './users.ts';

/** Which secret is meant. Without a visibility: one's own, else one for all users. */
export interface SecretAt {
  readonly name: string;
  readonly visibility: SecretVisibility | undefined;
  /** `app:<app name>`, or empty. */
  readonly parent: string;
}

/** A secret as somebody sees it. */
export interface AppSecret {
  readonly kept: KeptSecret;
  readonly visibility: SecretVisibility;
  readonly mayChange: boolean;
  readonly mayReveal: boolean;
}

export interface SecretQuery {
  /** All that one sees without asking for apps': one's own and those for all users. */
  readonly visibility: SecretVisibility | undefined;
  readonly parent: string;
  readonly text: string;
  readonly after: SecretPlace | undefined;
  readonly limit: number;
}

export type AppSecretService = ReturnType<typeof createAppSecretService>;

export function createAppSecretService(parts: {
  readonly store: SecretsClient;
  readonly workspaces: WorkspacesClient;
  readonly users: ReturnType<typeof createSecretUsers>;
  readonly logger: Logger;
  readonly now?: () => number;
}) {
  const { store, workspaces, users, logger, now = Date.now } = parts;
  const countReveal = createRevealCounter(usualRevealRate, now);

  /** Where secrets of that kind are kept for this person. */
  async function parentOf(actor: Principal, visibility: SecretVisibility, parent: string): Promise<string> {
    if (visibility === 'APP') return appParent(appNameOf(parent));
    if (parent !== '') throw onlyAppsHaveParents();
    const alias = visibility === 'PRIVATE' ? 'workspaces/default' : 'workspaces/global';
    return (await workspaces.accessOf(actor, alias)).workspace;
  }

  const view = (actor: Principal, kept: KeptSecret, visibility: SecretVisibility): AppSecret => ({
    kept,
    visibility,
    mayChange: mayChange(actor, visibility).allowed,
    mayReveal: mayReveal(actor, visibility).allowed,
  });

  /** 404 for what one may not know of. */
  async function find(actor: Principal, at: SecretAt): Promise<AppSecret> {
    const asked = visibilityOf(at);
    if (!isSecretName(at.name)) throw noSuchSecret(at.name);
    for (const visibility of asked === undefined ? (['PRIVATE', 'ALL_USERS'] as const) : [asked]) {
      enforceUnlessHidden(maySee(actor, visibility), visibility, at.name);
      const kept = await store.find({ parent: await parentOf(actor, visibility, at.parent), id: at.name });
      if (kept !== undefined) return view(actor, kept, visibility);
    }
    throw noSuchSecret(at.name);
  }

  async function forChange(actor: Principal, at: SecretAt): Promise<AppSecret> {
    const secret = await find(actor, at);
    enforce(mayChange(actor, secret.visibility));
    return secret;
  }

  return {
    async create(
      caller: Caller,
      wanted: SecretAt & { readonly values: SecretValues; readonly uid: string },
    ): Promise<AppSecret> {
      const { principal } = caller;
      const visibility = visibilityOf(wanted) ?? 'PRIVATE';
      enforce(mayChange(principal, visibility));
      const id = checkedName(wanted.name);
      const values = checkedValues(wanted.values);
      const place = { parent: await parentOf(principal, visibility, wanted.parent), id };
      const kept = await store.make(place, values, onBehalfOf(caller), wanted.uid);
      logger.info({ secret: id, visibility, by: principal.username }, 'secret created');
      await users.recheck(kept);
      return view(principal, kept, visibility);
    },

    /** All keys at once: what is not among the values, nor to be kept, is gone. */
    async replace(
      caller: Caller,
      at: SecretAt,
      values: SecretValues,
      keep: readonly string[] = [],
    ): Promise<AppSecret> {
      const { kept, visibility } = await forChange(caller.principal, at);
      const checked = checkedValues(values, keep.length);
      const replaced = await store.replace(kept, checked, onBehalfOf(caller), keep);
      if (replaced === undefined) throw noSuchSecret(at.name);
      logger.info({ secret: kept.id, visibility, by: caller.principal.username }, 'secret changed');
      await users.recheck(replaced);
      return view(caller.principal, replaced, visibility);
    },

    get: find,

    usersOf: (actor: Principal, { kept }: AppSecret): Promise<SecretUsers> => users.usersOf(actor, kept),

    async reveal(caller: Caller, at: SecretAt): Promise<{ secret: AppSecret; values: SecretValues }> {
      const { principal } = caller;
      const secret = await find(principal, at);
      enforce(mayReveal(principal, secret.visibility));
      countReveal(principal.subject);
      const values = await store.reveal(secret.kept, onBehalfOf(caller));
      if (values === undefined) throw noSuchSecret(at.name);
      return { secret, values };
    },

    async list(actor: Principal, query: SecretQuery): Promise<AppSecret[]> {
      const asked = visibilityOf({ name: '', ...query });
      enforce(maySee(actor, asked ?? 'PRIVATE'));
      const parents = new Map<string, SecretVisibility>();
      if (asked === 'APP' && query.parent === '') parents.set(appParent(''), 'APP');
      else
        for (const visibility of asked === undefined ? (['PRIVATE', 'ALL_USERS'] as const) : [asked])
          parents.set(await parentOf(actor, visibility, query.parent), visibility);
      const { text, after, limit } = query;
      const kept = await store.list({ parents: [...parents.keys()], query: text, after, limit });
      return kept.map((one) => view(actor, one, parents.get(one.parent) ?? 'APP'));
    },

    /** Refused while an app uses it. It can be brought back for thirty days. */
    async remove(caller: Caller, at: SecretAt): Promise<void> {
      const { kept, visibility } = await forChange(caller.principal, at);
      const inUse = await users.usersOf(caller.principal, kept);
      if (inUse.apps.length + inUse.others > 0) throw usedBy(kept.id, inUse);
      if (!(await store.remove(kept, onBehalfOf(caller)))) throw noSuchSecret(at.name);
      logger.info({ secret: kept.id, visibility, by: caller.principal.username }, 'secret deleted');
      await users.recheck(kept);
    },

    async restore(caller: Caller, at: SecretAt): Promise<AppSecret> {
      const { principal } = caller;
      const visibility = visibilityOf(at) ?? 'PRIVATE';
      enforceUnlessHidden(mayChange(principal, visibility), visibility, at.name);
      if (!isSecretName(at.name)) throw noSuchSecret(at.name);
      const place = { parent: await parentOf(principal, visibility, at.parent), id: at.name };
      const kept = await store.restore(place, onBehalfOf(caller));
      if (kept === undefined) throw noSuchSecret(at.name);
      logger.info({ secret: kept.id, visibility, by: principal.username }, 'secret brought back');
      await users.recheck(kept);
      return view(principal, kept, visibility);
    },
  };
}

function visibilityOf({ visibility, parent }: SecretAt): SecretVisibility | undefined {
  return visibility === undefined && parent !== '' ? 'APP' : visibility;
}

function appNameOf(parent: string): string {
  const name = parent.startsWith(appParent('')) ? parent.slice(appParent('').length) : '';
  if (isAppName(name)) return name;
  throw invalid('invalid_secret', 'A secret of an app has the parent app:<name of the app>.');
}

const onlyAppsHaveParents = () =>
  invalid(
    'invalid_secret',
    'Only secrets with the visibility APP have a parent. Leave it out, or write APP.',
  );

const onBehalfOf = ({ principal, sourceIpAddress, userAgent }: Caller): OnBehalf => ({
  ...{ principal: `users/${principal.subject}`, sourceIpAddress, userAgent },
});

const noSuchSecret = (name: string): HaicError =>
  notFound(`The secret ${JSON.stringify(name.slice(0, 100))}`);

function enforce(decision: Decision): void {
  if (!decision.allowed) throw decision.error;
}

/** Whether an app has a secret is nothing to tell those who may not see it. */
function enforceUnlessHidden(decision: Decision, visibility: SecretVisibility, name: string): void {
  if (!decision.allowed) throw visibility === 'APP' ? noSuchSecret(name) : decision.error;
}

function usedBy(name: string, { apps, others }: SecretUsers): HaicError {
  const named = apps.map(
    ({ app }) => `${app.manifest.title} ${app.manifest.version} (${app.owner.username})`,
  );
  const more = others === 1 ? 'an app that you may not see' : `${others} apps that you may not see`;
  const all = [...named.slice(0, 5), ...(named.length > 5 ? [`${named.length - 5} more`] : [])];
  if (others > 0) all.push(more);
  return conflict(
    'secret_in_use',
    `The secret "${name}" is used by ${all.join(', ')}. Delete what uses it first; an app can do without from its next version on.`,
    {
      details: {
        apps: apps.map(({ app }) => ({
          ...{ id: app.id, title: app.manifest.title, version: app.manifest.version },
          owner: app.owner.username,
        })),
        others,
      },
    },
  );
}
