import type { AuditEvent } from './events.ts';

/** What somebody did, in the words that follow their name, and the same after `tried to`. */
export const deeds: Readonly<Record<string, readonly [did: string, to: string]>> = {
  'actions/identity/sessions/SIGNIN': ['signed in', 'sign in'],
  'actions/identity/sessions/SIGNOUT': ['signed out', 'sign out'],
  'actions/identity/people/CREATE': ['added a person', 'add a person'],
  'actions/identity/people/UPDATE': ['changed a person', 'change a person'],
  'actions/identity/people/DELETE': ['removed a person', 'remove a person'],
  'actions/identity/people/RESETPASSWORD': ['replaced somebody’s password', 'replace somebody’s password'],
  'actions/identity/people/CHANGEPASSWORD': ['changed their own password', 'change their own password'],
  'actions/identity/groups/CREATE': ['made a group', 'make a group'],
  'actions/identity/groups/UPDATE': ['renamed a group', 'rename a group'],
  'actions/identity/groups/DELETE': ['removed a group', 'remove a group'],
  'actions/identity/groups/ADDMEMBER': ['put somebody into a group', 'put somebody into a group'],
  'actions/identity/groups/REMOVEMEMBER': ['took somebody out of a group', 'take somebody out of a group'],
  'actions/identity/roles/ASSIGN': ['gave somebody a role', 'give somebody a role'],
  'actions/identity/roles/UNASSIGN': ['took a role from somebody', 'take a role from somebody'],
  'actions/identity/tokens/CREATE': ['made a token', 'make a token'],
  'actions/identity/tokens/REVOKE': ['ended a session or token', 'end a session or token'],
  'actions/identity/serviceaccounts/CREATE': ['made a service account', 'make a service account'],
  'actions/identity/serviceaccounts/UPDATE': ['changed a service account', 'change a service account'],
  'actions/identity/serviceaccounts/ROTATESECRET': [
    'replaced the secret of a service account',
    'replace the secret of a service account',
  ],
  'actions/identity/serviceaccounts/DELETE': ['removed a service account', 'remove a service account'],
  'actions/identity/resources/CREATE': ['registered a resource outside', 'register a resource outside'],
  'actions/identity/resources/UPDATE': ['changed a resource outside', 'change a resource outside'],
  'actions/identity/resources/DELETE': ['removed a resource outside', 'remove a resource outside'],
  'actions/identity/keys/ROTATE': ['rotated the keys of the issuer', 'rotate the keys of the issuer'],
  'actions/appstore/apps/IMPORT': ['imported an app', 'import an app'],
  'actions/appstore/apps/UPDATE': ['changed an app', 'change an app'],
  'actions/appstore/apps/DELETE': ['deleted an app', 'delete an app'],
  'actions/appstore/apps/DOWNLOAD': ['downloaded an app’s bundle', 'download an app’s bundle'],
  'actions/appstore/instances/RUN': ['ran an app', 'run an app'],
  'actions/appstore/instances/OPEN': ['opened an instance', 'open an instance'],
  'actions/appstore/instances/UPDATE': ['changed an instance', 'change an instance'],
  'actions/appstore/instances/REDEPLOY': [
    'applied new settings of Haic to an instance',
    'apply new settings of Haic to an instance',
  ],
  'actions/appstore/instances/SUSPEND': ['paused an instance', 'pause an instance'],
  'actions/appstore/instances/RESUME': ['resumed an instance', 'resume an instance'],
  'actions/appstore/instances/EXTEND': ['gave an instance more time', 'give an instance more time'],
  'actions/appstore/instances/TERMINATE': ['terminated an instance', 'terminate an instance'],
  'actions/appstore/instances/READLOGS': [
    'read the log of somebody’s instance',
    'read the log of somebody’s instance',
  ],
  'actions/appstore/belongings/HANDOVER': ['handed over what somebody owns', 'hand over what somebody owns'],
  'actions/drive/keys/CREATE': ['got keys for S3 tools', 'get keys for S3 tools'],
  'actions/drive/folders/CREATE': ['made a folder', 'make a folder'],
  'actions/drive/uploads/CREATE': ['began an upload', 'begin an upload'],
  'actions/drive/uploads/COMPLETE': ['uploaded a file', 'upload a file'],
  'actions/drive/uploads/DELETE': ['gave up an upload', 'give up an upload'],
  'actions/drive/objects/GET': ['opened a file', 'open a file'],
  'actions/drive/objects/PUT': ['wrote a file', 'write a file'],
  'actions/drive/objects/COPY': ['copied a file', 'copy a file'],
  'actions/drive/objects/DELETE': ['deleted files', 'delete files'],
  'actions/drive/shares/CREATE': ['shared a file by a link', 'share a file by a link'],
  'actions/drive/shares/DELETE': ['withdrew a link to a file', 'withdraw a link to a file'],
  'actions/drive/operations/CREATE': ['copied, moved or deleted files', 'copy, move or delete files'],
  'actions/drive/operations/CANCEL': ['cancelled what was done to files', 'cancel what is done to files'],
  'actions/drive/former-people/HANDOVER': [
    'handed over what a former person left in Drive',
    'hand over what a former person left in Drive',
  ],
  'actions/drive/former-people/PURGE': [
    'purged what a former person left in Drive',
    'purge what a former person left in Drive',
  ],
  'actions/drive/quotas/SET': [
    'changed how much may be kept in Drive',
    'change how much may be kept in Drive',
  ],
  'actions/drive/quotas/RESET': [
    'went back to the usual quota of Drive',
    'go back to the usual quota of Drive',
  ],
  'actions/securestore/secrets/CREATE': ['made a secret', 'make a secret'],
  'actions/securestore/secrets/DELETE': ['deleted a secret', 'delete a secret'],
  'actions/securestore/secrets/UNDELETE': ['brought back a secret', 'bring back a secret'],
  'actions/securestore/secrets/GET': ['looked at a secret', 'look at a secret'],
  'actions/securestore/secrets/LIST': ['listed secrets', 'list secrets'],
  'actions/securestore/versions/CREATE': ['gave a secret a new value', 'give a secret a new value'],
  'actions/securestore/versions/GET': ['looked at a version of a secret', 'look at a version of a secret'],
  'actions/securestore/versions/LIST': ['listed the versions of a secret', 'list the versions of a secret'],
  'actions/securestore/versions/REVEALVALUE': ['read the value of a secret', 'read the value of a secret'],
  'actions/securestore/versions/USE': ['used a secret in an app', 'use a secret in an app'],
  'actions/securestore/keys/ROTATE': ['gave the secure store a new key', 'give the secure store a new key'],
  'actions/securestore/oauthClients/CREATE': ['made an OAuth client', 'make an OAuth client'],
  'actions/securestore/oauthClients/UPDATE': ['changed an OAuth client', 'change an OAuth client'],
  'actions/securestore/oauthClients/REPLACESECRET': [
    'replaced the secret of an OAuth client',
    'replace the secret of an OAuth client',
  ],
  'actions/securestore/oauthClients/GET': ['looked at an OAuth client', 'look at an OAuth client'],
  'actions/securestore/oauthClients/LIST': [
    'listed OAuth clients, or who has accounts by one',
    'list OAuth clients, or who has accounts by one',
  ],
  'actions/securestore/oauthClients/INVALIDATETOKENSOURCES': [
    'ended everybody’s access by an OAuth client',
    'end everybody’s access by an OAuth client',
  ],
  'actions/securestore/oauthClients/DELETE': ['deleted an OAuth client', 'delete an OAuth client'],
  'actions/securestore/tokenSources/CREATE': [
    'prepared to connect an account elsewhere',
    'connect an account elsewhere',
  ],
  'actions/securestore/tokenSources/LOGIN': [
    'connected an account elsewhere',
    'connect an account elsewhere',
  ],
  'actions/securestore/tokenSources/LIST': ['listed accounts elsewhere', 'list accounts elsewhere'],
  'actions/securestore/tokenSources/GET': ['used an account elsewhere', 'use an account elsewhere'],
  'actions/securestore/tokenSources/REFRESH': [
    'renewed the access to an account elsewhere',
    'renew the access to an account elsewhere',
  ],
  'actions/securestore/tokenSources/DELETE': [
    'disconnected an account elsewhere',
    'disconnect an account elsewhere',
  ],
  'actions/workspaceserver/workspaces/CREATE': ['made a workspace', 'make a workspace'],
  'actions/workspaceserver/workspaces/UPDATE': ['changed a workspace', 'change a workspace'],
  'actions/workspaceserver/workspaces/DELETE': ['deleted a workspace', 'delete a workspace'],
  'actions/workspaceserver/workspaces/UNDELETE': ['brought back a workspace', 'bring back a workspace'],
  'actions/workspaceserver/workspaces/PURGE': [
    'removed a deleted workspace for good',
    'remove a deleted workspace for good',
  ],
  'actions/workspaceserver/workspaces/ASSIGN_OWNER': [
    'gave a workspace another owner',
    'give a workspace another owner',
  ],
  'actions/workspaceserver/members/CREATE': ['added a member to a workspace', 'add a member to a workspace'],
  'actions/workspaceserver/members/UPDATE': ['changed a member’s role', 'change a member’s role'],
  'actions/workspaceserver/members/DELETE': [
    'took a member out of a workspace',
    'take a member out of a workspace',
  ],
  'actions/workspaceserver/members/LEAVE': ['left a workspace', 'leave a workspace'],
  'actions/audittrail/events/EXPORT': ['exported the audit trail', 'export the audit trail'],
  'actions/audittrail/events/EXPIRE': ['gave up events that were old enough', 'give up old events'],
  'actions/audittrail/trails/RESTORE': ['went on after a backup was restored', 'go on'],
  'actions/audittrail/trails/BREAK': ['noticed that it had been tampered with', 'go on'],
};

/** `imported an app`; `tried to sign in`; for what has no words yet, its name in the API, in plain letters. */
export function deedOf({ action, status }: Pick<AuditEvent, 'action' | 'status'>): string {
  const [, , collection = '', verb = ''] = action.split('/');
  const plain = `${verb.toLowerCase()} (${collection.toLowerCase()})`;
  const [did, to] = deeds[action] ?? [`did: ${plain}`, plain];
  return isDone(status) ? did : `tried to ${to}`;
}

const isDone = (status: AuditEvent['status']): boolean => status === undefined || status.code === 0;

/** Who, as people know them. */
export function whoOf({
  loginPrincipal,
  principal,
}: Pick<AuditEvent, 'loginPrincipal' | 'principal'>): string {
  if (principal === 'services/audit-trail') return 'The audit trail';
  if (principal.startsWith('services/'))
    return `Haic (${loginPrincipal || principal.slice('services/'.length)})`;
  if (principal === 'users/unknown') return 'Somebody unknown';
  return loginPrincipal || 'Somebody who is gone';
}

/** The end of a resource, which says what it was: `bob` of `//identity/people/bob`. */
export function whatOf({ resource }: Pick<AuditEvent, 'resource'>): string {
  const segments = resource.replace(/^\/\//, '').split('/').slice(1);
  const last = segments.at(-1);
  if (last === undefined || segments.length < 2) return '';
  // A version says nothing without what it is a version of.
  const [of, collection] = segments.slice(-3);
  if (collection === 'versions' && of !== undefined) return `${decoded(of)}, version ${decoded(last)}`;
  return decoded(last);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Why it did not happen, in the words of the refusal without its code. */
export const problemOf = ({ status }: Pick<AuditEvent, 'status'>): string | undefined =>
  status === undefined || isDone(status)
    ? undefined
    : status.message.replace(/^[a-z_]+: /, '') || `Code ${status.code}`;

/** Groups of actions to filter by, each an expression. */
export const kinds = [
  { value: 'sign-in', label: 'Signing in, tokens', expression: '^actions/identity/(sessions|tokens|keys)/' },
  {
    value: 'people',
    label: 'People and roles',
    expression: '^actions/identity/(people|groups|roles|serviceaccounts|resources)/',
  },
  { value: 'apps', label: 'Apps', expression: '^actions/appstore/(apps|belongings)/' },
  { value: 'instances', label: 'Instances', expression: '^actions/appstore/instances/' },
  { value: 'drive', label: 'Drive', expression: '^actions/drive/' },
  { value: 'secrets', label: 'Secrets', expression: '^actions/securestore/' },
  { value: 'workspaces', label: 'Workspaces', expression: '^actions/workspaceserver/' },
  { value: 'trail', label: 'The trail itself', expression: '^actions/audittrail/' },
] as const;
