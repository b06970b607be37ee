import type { ActingParty, IdentityClient, SignInStandingClient } from './client.ts';

/** `isInstanceKnown`: whether its client is registered. `isSignInOpen` where that can be known. */
export function createSignInStanding(parts: {
  readonly activeAmong: IdentityClient['activeAmong'];
  readonly isInstanceKnown: (instanceId: string) => Promise<boolean>;
  readonly isSignInOpen?: (acting: ActingParty, signIn: string) => Promise<boolean>;
}): SignInStandingClient {
  return {
    mayStillAct: async (acting) => {
      const { subject, partyKind, instanceId, signIn } = acting;
      if (partyKind === 'app' && (instanceId === undefined || !(await parts.isInstanceKnown(instanceId))))
        return false;
      if ((await parts.activeAmong([subject])).length === 0) return false;
      return signIn === undefined || ((await parts.isSignInOpen?.(acting, signIn)) ?? true);
    },
  };
}
