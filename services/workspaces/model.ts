import { invalid } from '@haic/kit/errors.ts';
import { type WorkspaceRole, workspaceRoles } from './client.ts';

export type WorkspaceKind = 'shared' | 'personal' | 'global';

export interface Workspace {
  readonly id: string;
  readonly kind: WorkspaceKind;
  readonly displayName: string;
  readonly description: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly personalSubject: string | undefined;
  /** `users/<subject>` or `services/<name>`, like all who do something here. */
  readonly creator: string;
  readonly createdAt: Date;
  readonly updater: string | undefined;
  readonly updatedAt: Date;
  readonly deletion: { readonly by: string; readonly at: Date; readonly purgeAt: Date } | undefined;
  readonly revision: number;
}

/** As somebody sees it: with the role that they have there, and without one for an administrator of the platform who is no member. */
export interface WorkspaceView extends Workspace {
  readonly role: WorkspaceRole | undefined;
}

export interface Member {
  readonly id: string;
  /** `users/<subject>` or `groups/<name>`. */
  readonly member: string;
  readonly role: WorkspaceRole;
  readonly creator: string;
  readonly createdAt: Date;
  readonly updater: string;
  readonly updatedAt: Date;
  readonly revision: number;
}

export interface WorkspaceFields {
  readonly displayName: string;
  readonly description: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** `workspaces/global`, made by the first migration. */
export const globalId = '00000000-0000-4000-8000-000000000001';

export const retentionDays = 30;

/** Who does what no person asked for: purging, and what a migration made. */
export const ownName = 'services/workspaces';

export const workspaceName = (id: string): string => `workspaces/${id}`;
export const userName = (subject: string): string => `users/${subject}`;
export const groupName = (name: string): string => `groups/${name}`;

export const subjectOf = (member: string): string | undefined => rest(member, 'users/');
export const groupOf = (member: string): string | undefined => rest(member, 'groups/');
const rest = (text: string, prefix: string): string | undefined =>
  text.startsWith(prefix) && text.length > prefix.length ? text.slice(prefix.length) : undefined;

/** An id, or the alias of one. */
export type WorkspaceReference = { readonly id: string } | 'default' | 'unknown';

/** What can be nobody's id is unknown, and not wrong: who looks for it learns no more than of any other. */
export function readWorkspaceName(name: string): WorkspaceReference {
  const last = rest(name, 'workspaces/') ?? '';
  if (last === 'default') return 'default';
  if (last === 'global') return { id: globalId };
  return isId(last) ? { id: last } : 'unknown';
}

export const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export const isRole = (text: string): text is WorkspaceRole =>
  (workspaceRoles as readonly string[]).includes(text);

/** Neither NUL, which PostgreSQL does not hold, nor halves of signs, which JSON there does not. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

export function checkDisplayName(raw: string): string {
  const name = raw.trim();
  if (name === '' || name.length > 120 || !isStorable(name) || /\p{Cc}/u.test(name))
    throw invalid('bad_name', 'The name of a workspace has 1 to 120 signs, in one line.');
  return name;
}

export function checkDescription(text: string): string {
  if (text.length > 4000 || !isStorable(text))
    throw invalid('bad_description', 'The description of a workspace has at most 4000 signs.');
  return text;
}

const largestAnnotations = 64 * 1024;

/** Kept as they are, reserved ones (`mlops.h2o.ai/…`) too: those who read them know what they mean. */
export function checkAnnotations(
  annotations: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
    if (key === '' || key.length > 255 || !isStorable(key) || !isStorable(value))
      throw invalid('bad_annotations', 'The key of an annotation has 1 to 255 signs, and its value is text.');
  }
  if (size > largestAnnotations)
    throw invalid('bad_annotations', `Annotations have at most ${largestAnnotations} bytes, all together.`);
  return annotations;
}

/** Of a person or a service account, or of a group. */
export function checkMember(member: string): { readonly subject: string } | { readonly group: string } {
  const subject = subjectOf(member);
  const group = groupOf(member);
  const name = subject ?? group ?? '';
  if (name === '' || name.length > 255 || !isStorable(name))
    throw invalid('bad_member', 'A member is users/<id>, as the list of users has it, or groups/<name>.');
  return subject === undefined ? { group: name } : { subject: name };
}
