import { type Deed, partyMay, partyRefused } from '@haic/kit/auth/party-policy.ts';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { forbidden, notFound } from '@haic/kit/errors.ts';
import type { App, AppAccess } from '../catalog/client.ts';
import { mayOpen } from './may-open.ts';
import type { InstanceIdentity } from './model.ts';
import { hasFullAccess, isAdmin } from './roles.ts';

/** Who asks, as far as these rules look. */
export type Actor = Pick<Principal, 'subject' | 'roles' | 'party' | 'partyKind' | 'instanceId'>;
export type Owned = Pick<InstanceIdentity, 'id' | 'owner' | 'visibility'> & {
  readonly app: { readonly owner: string };
};

export type Decision =
  | { readonly allowed: true }
  /** Not even its existence may be known. */
  | { readonly allowed: false; readonly because: 'hidden' }
  | {
      readonly allowed: false;
      readonly because: 'forbidden';
      readonly code: string;
      readonly message: string;
    };

const yes: Decision = { allowed: true };
const hidden: Decision = { allowed: false, because: 'hidden' };
const no = (code: string, message: string): Decision => ({
  allowed: false,
  because: 'forbidden',
  code,
  message,
});

/** Turns a refusal into its error; the one place where rules meet HTTP statuses. */
export function enforce(decision: Decision, what: string): void {
  if (decision.allowed) return;
  throw decision.because === 'hidden' ? notFound(what) : forbidden(decision.code, decision.message);
}

/** By the table of kinds of clients. The server has asked it already; what is shown as possible must not say otherwise. */
function byKind(actor: Actor, deed: Deed): Decision {
  if (partyMay(actor, deed)) return yes;
  const { code, message } = partyRefused(actor.partyKind, deed);
  return no(code, message);
}

const owns = (actor: Actor, instance: Owned): boolean => actor.subject === instance.owner.subject;
const ownsApp = (actor: Actor, instance: Owned): boolean =>
  instance.app.owner !== '' && actor.subject === instance.app.owner && hasFullAccess(actor.roles);

/** Metadata and status. The owner of the app sees every instance of it; a visitor sees none but their own. */
export function maySee(actor: Actor, instance: Owned): Decision {
  if (actor.partyKind === 'app' && actor.instanceId !== instance.id) return hidden;
  if (owns(actor, instance) || isAdmin(actor.roles) || ownsApp(actor, instance)) return yes;
  return instance.visibility !== 'PRIVATE' && hasFullAccess(actor.roles) ? yes : hidden;
}

/** Logs hold what everybody did in the app, so seeing an instance is not enough; visitors read none, not even their own. */
export function mayReadLogs(actor: Actor, instance: Owned): Decision {
  const seen = maySee(actor, instance);
  if (!seen.allowed) return seen;
  const allowed = byKind(actor, 'read logs');
  if (!allowed.allowed) return allowed;
  if (!hasFullAccess(actor.roles)) return no('logs_refused', 'Visitors cannot read the logs of instances.');
  if (owns(actor, instance) || isAdmin(actor.roles) || ownsApp(actor, instance)) return yes;
  return no(
    'logs_refused',
    'Logs are for the owner of the instance, the owner of the app and administrators.',
  );
}

/** Change the visibility, pause, resume, extend, terminate. */
export function mayManage(actor: Actor, instance: Owned): Decision {
  const seen = maySee(actor, instance);
  if (!seen.allowed) return seen;
  const allowed = byKind(actor, 'change instances');
  if (!allowed.allowed) return allowed;
  if (owns(actor, instance) || isAdmin(actor.roles)) return yes;
  return no('not_your_instance', 'Only its owner or an administrator can change this instance.');
}

/** How long it may run before it pauses by itself: it protects the machine, so it is not the owner's to switch off. */
export function maySetSuspendAfter(actor: Actor, instance: Owned): Decision {
  const managed = mayManage(actor, instance);
  if (!managed.allowed || isAdmin(actor.roles)) return managed;
  return no(
    'administrators_only',
    'Only administrators decide after which time an instance pauses. Extend it instead.',
  );
}

/** What is set up on the server is an administrator's matter, and applying it ends what runs for a moment. */
export function mayRedeploy(actor: Actor, instance: Owned): Decision {
  const managed = mayManage(actor, instance);
  if (!managed.allowed || isAdmin(actor.roles)) return managed;
  return no('administrators_only', 'Only administrators redeploy instances. Pause and resume it instead.');
}

/** `by` is the actor as identity knows them now: who lost the role has lost this at once, and not when the token ends. */
type Known = { readonly roles: readonly string[]; readonly disabled: boolean } | undefined;
const isAdminNow = (by: Known): boolean => by !== undefined && !by.disabled && isAdmin(by.roles);

/** Give it to somebody else. It opens what was private to its owner, so it is no owner's and no app's. */
export function mayHandOver(actor: Actor, instance: Owned, by: Known): Decision {
  const seen = maySee(actor, instance);
  if (!seen.allowed) return seen;
  return isAdminNow(by)
    ? yes
    : no('administrators_only', 'Only administrators hand instances over to somebody else.');
}

/** What somebody owns, and handing all of it over. */
export function mayAdministerBelongings(by: Known): Decision {
  return isAdminNow(by)
    ? yes
    : no('administrators_only', 'Only administrators see what others own, and hand it over.');
}

/** The instance's own pages, by the rule that the router applies. */
export function mayVisit(actor: Actor, instance: Owned): boolean {
  const viaInstance = actor.partyKind === 'app' ? actor.instanceId : undefined;
  return mayOpen(
    { instanceId: instance.id, owner: instance.owner.subject, visibility: instance.visibility },
    { subject: actor.subject, roles: actor.roles, viaInstance },
  ).allowed;
}

/** `access` is the catalog's view of the person and the app; what the lifecycle says is added here. */
export function mayRun(actor: Actor, app: App, access: AppAccess): Decision {
  if (!access.canSee) return hidden;
  if (app.manifest.lifecycle === 'LINK')
    return no(
      'app_not_runnable',
      `${app.manifest.title} is a link: it opens ${app.manifest.linkAddress ?? 'another site'} and has nothing to run.`,
    );
  if (app.manifest.lifecycle === 'MANAGED' && actor.subject !== app.owner.subject && !isAdmin(actor.roles))
    return no(
      'app_not_runnable',
      `${app.manifest.title} is run for everyone by its owner. Use Visit to open it.`,
    );
  return access.canRun
    ? yes
    : no('app_not_runnable', access.cannotRunBecause || `You may not run ${app.manifest.title}.`);
}
