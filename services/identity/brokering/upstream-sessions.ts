import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ArtifactStore } from '../artifacts.ts';
import { lifetimes } from '../provider/lifetimes.ts';

/** By which provider a session of Haic's issuer came about, and its proof for ending the session there. */
export interface UpstreamSession {
  readonly alias: string;
  readonly idToken: string;
}

export type UpstreamSessions = ReturnType<typeof createUpstreamSessions>;

const model = 'UpstreamSession';

export function createUpstreamSessions(artifacts: ArtifactStore) {
  return {
    /** After a sign-in: only the provider knows which session it became. A sign-in by password leaves the provider's behind. */
    note: async (ctx: KoaContextWithOIDC): Promise<void> => {
      // Absent where the provider has no such page.
      if (!('oidc' in ctx)) return;
      const { session, entities } = ctx.oidc;
      const result = entities.Interaction?.result;
      if (result?.login === undefined || session?.accountId === undefined) return;
      const from = result.upstream as UpstreamSession | undefined;
      if (from === undefined) return artifacts.destroy(model, session.uid);
      const payload = { accountId: session.accountId, from };
      return artifacts.upsert(model, session.uid, payload, lifetimes.sessionAbsolute);
    },

    /** What was noted of a session that ends now. */
    take: async (sessionUid: string): Promise<UpstreamSession | undefined> => {
      const noted = await artifacts.find(model, sessionUid);
      if (noted === undefined) return undefined;
      await artifacts.destroy(model, sessionUid);
      return noted.from as UpstreamSession;
    },
  };
}
