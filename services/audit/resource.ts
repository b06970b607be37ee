import { wrongEvent } from './refusals.ts';

/** Mean another workspace to everybody, or would hide what happened in one from who searches by its name. */
const aliases = new Set(['default', 'global', '-', 'me']);

/**
 * The workspace that a resource such as `//secure-store/workspaces/<id>/secrets/<id>` names; empty when it names none. Throws for what is no
 * resource, and for an alias.
 */
export function workspaceIn(resource: string): string {
  if (resource === '') return '';
  if (!/^\/\/[^/\s]/.test(resource)) throw wrongEvent('resource has to begin with //<service>.');
  const segments = resource.slice(2).split('/');
  const at = segments.indexOf('workspaces', 1);
  const id = at === -1 ? undefined : segments[at + 1];
  if (id === undefined || id === '') return '';
  if (aliases.has(id))
    throw wrongEvent(`resource: workspaces/${id} is an alias. It has to name the workspace itself.`);
  return `workspaces/${id}`;
}
