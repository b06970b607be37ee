import { notFound } from '@haic/kit/errors.ts';
import type {
  WorkspaceAccess,
  WorkspaceActor,
  WorkspaceRole,
  WorkspacesClient,
} from '@haic/services/workspaces/client.ts';
import type { OnBehalf, SecretPlace, SecretsClient } from '../client.ts';
import { createAppSecrets } from './lending.ts';

export const globalWorkspace = 'workspaces/00000000-0000-4000-8000-000000000001';

export const actor = (name: string, ...roles: string[]): WorkspaceActor => ({
  subject: `sub-${name}`,
  username: name,
  roles: roles.length === 0 ? ['user'] : roles,
  groups: [],
});

/** Personal workspaces by subject, everybody's, and the shared ones that a test makes. */
export function exampleWorkspaces(): WorkspacesClient & {
  readonly members: Map<string, Map<string, WorkspaceRole>>;
  personalOf(subject: string): `workspaces/${string}`;
} {
  const members = new Map<string, Map<string, WorkspaceRole>>();
  const personalOf = (subject: string) => `workspaces/personal-${subject}` as const;
  function roleIn(who: WorkspaceActor, workspace: string): WorkspaceRole | undefined {
    if (workspace === personalOf(who.subject)) return 'owner';
    if (workspace !== globalWorkspace) return members.get(workspace)?.get(who.subject);
    if (who.roles.includes('admin')) return 'admin';
    return who.roles.includes('user') ? 'viewer' : undefined;
  }
  return {
    members,
    personalOf,
    async accessOf(who, name) {
      const aliases: Record<string, string> = {
        'workspaces/default': personalOf(who.subject),
        'workspaces/global': globalWorkspace,
      };
      const workspace = aliases[name] ?? name;
      const role = roleIn(who, workspace);
      if (role === undefined) throw notFound('This workspace');
      return { workspace, role };
    },
    async workspacesOf(who) {
      const all = [personalOf(who.subject), globalWorkspace, ...members.keys()];
      return all.flatMap((workspace): WorkspaceAccess[] => {
        const role = roleIn(who, workspace);
        return role === undefined ? [] : [{ workspace, role }];
      });
    },
  };
}

export interface ExampleStore extends Pick<SecretsClient, 'find' | 'use'> {
  put(parent: string, id: string, values: Readonly<Record<string, string>>): void;
  remove(parent: string, id: string): void;
  readonly uses: { readonly place: SecretPlace; readonly keys: readonly string[]; readonly by: OnBehalf }[];
  /** While set every call fails with it. */
  down: Error | undefined;
}

/** Secrets in memory, as the secure store shows them. */
export function exampleStore(): ExampleStore {
  const kept = new Map<string, Readonly<Record<string, string>>>();
  const uidOf = ({ parent, id }: SecretPlace) => `${parent}/secrets/${id}`;
  const store: ExampleStore = {
    uses: [],
    down: undefined,
    put: (parent, id, values) => void kept.set(uidOf({ parent, id }), values),
    remove: (parent, id) => void kept.delete(uidOf({ parent, id })),
    async find({ parent, id }) {
      if (store.down !== undefined) throw store.down;
      const values = kept.get(uidOf({ parent, id }));
      if (values === undefined) return undefined;
      const [at, by] = [new Date(0), 'users/somebody'];
      return {
        ...{ parent, id, uid: uidOf({ parent, id }), displayName: '', keys: Object.keys(values).sort() },
        ...{ creator: by, createdAt: at, changedBy: by, changedAt: at },
      };
    },
    async use(place, keys, by) {
      if (store.down !== undefined) throw store.down;
      store.uses.push({ place: { parent: place.parent, id: place.id }, keys, by });
      const values = kept.get(uidOf(place)) ?? {};
      const found = keys.filter((key) => values[key] !== undefined);
      return new Map(found.map((key) => [key, Buffer.from(values[key] ?? '')]));
    },
  };
  return store;
}

/** The secrets of apps as the App Store asks for them, on what is in memory. */
export function exampleAppSecrets() {
  const store = exampleStore();
  const workspaces = exampleWorkspaces();
  return { store, workspaces, client: createAppSecrets({ store, workspaces }) };
}
