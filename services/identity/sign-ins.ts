import { instanceOfParty } from '@haic/kit/auth/principal.ts';
import type { ArtifactStore } from './artifacts.ts';
import { hasLastingTokens } from './provider/clients.ts';

/** `sid` of the tokens that the launcher of a private instance has for its owner: they come of no session, and of the instance being private. */
export const signInByHandle = 'the-handle-of-the-instance';

/** Whether an instance is one that its code acts in for this person: theirs, and open to nobody else. */
export type ActsForOwner = (instanceId: string, subject: string) => Promise<boolean>;

/** Whether what an access token came of, by its `sid`, is still there: a session, a token that outlives sessions, or the handle of an instance. */
export type SignInCheck = (
  of: { readonly subject: string; readonly party: string },
  sid: string,
) => Promise<boolean>;

export const createSignInCheck =
  (parts: {
    readonly artifacts: Pick<ArtifactStore, 'isSignedIn' | 'isGranted'>;
    readonly actsForOwner: ActsForOwner;
  }): SignInCheck =>
  async ({ subject, party }, sid) => {
    if (hasLastingTokens(party)) return parts.artifacts.isGranted(subject, party, sid);
    if (sid !== signInByHandle) return parts.artifacts.isSignedIn(subject, party, sid);
    const instanceId = instanceOfParty(party);
    return instanceId !== undefined && parts.actsForOwner(instanceId, subject);
  };
