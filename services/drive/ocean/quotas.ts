import type { Principal } from '@haic/kit/auth/principal.ts';
import { notFound } from '@haic/kit/errors.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import { bucketOfPerson, workspaceBucket } from '../buckets.ts';
import type { Bucket } from '../model.ts';
import type { Usage, UsageStore } from '../usage/store.ts';
import { administratorOf } from './administrator.ts';
import { trashOf } from './trash.ts';

/** Whose bucket it is. */
export interface Holder {
  readonly kind: 'people' | 'workspaces';
  /** Subject, or id of the workspace. */
  readonly id: string;
}

export interface QuotaView {
  readonly usage: Usage;
  /** Has the same quota, and counts by itself. */
  readonly trash: Usage;
  /** Whether the quota is the installation's. */
  readonly isDefault: boolean;
}

export type Quotas = ReturnType<typeof createQuotas>;

/** How much somebody or a workspace may keep, where that is not what the installation says for all. An administrator learns how much there is, and nothing of what. */
export function createQuotas(parts: {
  readonly usage: Pick<UsageStore, 'usageOf' | 'ownQuotaOf' | 'setQuota'>;
  readonly identity: Pick<IdentityClient, 'findPerson'>;
  readonly workspaceExists: (id: string) => Promise<boolean>;
}) {
  const { usage, identity, workspaceExists } = parts;

  async function bucketOf(actor: Principal, { kind, id }: Holder): Promise<Bucket> {
    await administratorOf(identity, actor, 'see and change how much others may keep in Drive');
    if (kind === 'people') {
      if ((await identity.findPerson(id)) === undefined) throw notFound('This person');
      return bucketOfPerson(id);
    }
    if (!(await workspaceExists(id))) throw notFound('This workspace');
    return workspaceBucket({ workspace: `workspaces/${id}`, role: 'owner' });
  }
  async function view(bucket: Bucket): Promise<QuotaView> {
    const [own, trash, quota] = await Promise.all([
      usage.usageOf(bucket.prefix),
      usage.usageOf(trashOf(bucket).prefix),
      usage.ownQuotaOf(bucket.prefix),
    ]);
    return { usage: own, trash, isDefault: quota === undefined || quota === 'default' };
  }

  return {
    get: async (actor: Principal, holder: Holder): Promise<QuotaView> => view(await bucketOf(actor, holder)),
    /** Bytes, 0 for no limit, undefined for the installation's. What is there stays, also when it is more. */
    set: async (actor: Principal, holder: Holder, quota: number | undefined): Promise<QuotaView> => {
      const bucket = await bucketOf(actor, holder);
      for (const { prefix } of [bucket, trashOf(bucket)]) await usage.setQuota(prefix, quota);
      return view(bucket);
    },
  };
}
