import { addressOf } from '@haic/kit/http/address.ts';
import type { FastifyRequest } from '@haic/kit/http/server.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AuditWriter } from '@haic/services/audit/client.ts';

/** What happens on the pages of the issuer, where no token says who it is that asks. */
export interface SignInTrail {
  /** `subject` undefined for a name that nobody has. Not the name that was typed: it may be a password. */
  tell(what: SignInDeed, subject: string | undefined, request: FastifyRequest): Promise<void>;
}

export type SignInDeed = 'signed-in' | 'refused' | 'signed-out' | 'changed-password';

const actions: Readonly<Record<SignInDeed, string>> = {
  'signed-in': 'actions/identity/sessions/SIGNIN',
  refused: 'actions/identity/sessions/SIGNIN',
  'signed-out': 'actions/identity/sessions/SIGNOUT',
  'changed-password': 'actions/identity/people/CHANGEPASSWORD',
};

/** Who tries passwords at random is told of, but fills no disk. */
const refusalsPerMinute = 120;
/** google.rpc.Code.UNAUTHENTICATED. */
const refused = { code: 16, message: 'The user name or the password was wrong.' };

/** What cannot be told is logged: that nobody could sign in any more would keep away those who put it right. */
export function createSignInTrail(parts: {
  readonly audit: AuditWriter | undefined;
  readonly logger: Logger;
  readonly now: () => Date;
}): SignInTrail {
  const { audit, logger, now } = parts;
  let minute = 0;
  let refusals = 0;
  const isBeyondBound = () => {
    const current = Math.floor(now().getTime() / 60_000);
    if (current !== minute) refusals = 0;
    minute = current;
    refusals += 1;
    return refusals > refusalsPerMinute;
  };
  return {
    tell: async (what, subject, request) => {
      if (audit === undefined || (what === 'refused' && isBeyondBound())) return;
      const principal = `users/${subject ?? 'unknown'}`;
      try {
        await audit.record({
          action: actions[what],
          readOnly: false,
          principal,
          resource: what === 'changed-password' ? `//identity/people/${subject}` : '//identity/sessions',
          sourceIpAddress: addressOf(request),
          userAgent: String(request.headers['user-agent'] ?? ''),
          ...(what === 'refused' ? { status: refused } : {}),
        });
      } catch (error) {
        logger.error({ err: error, what, principal }, 'A sign-in could not be recorded in the audit trail.');
      }
    },
  };
}
