import type { IncomingMessage } from 'node:http';
import { messageOf } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { AuditedAction, AuditWriter } from '@haic/services/audit/client.ts';
import { LRUCache } from 'lru-cache';

type Deed = Pick<AuditedAction, 'action' | 'readOnly' | 'resource' | 'status'>;

/** What the edge tells the audit trail. */
export interface Telling {
  /** A door stayed shut: once in a few minutes for each person and instance, since a page asks for a hundred things. */
  refused(request: IncomingMessage, address: string, subject: string, instanceId: string): void;
  /** Where another issuer signs people in, nobody but the edge can tell of it. */
  session(
    request: IncomingMessage,
    address: string,
    subject: string,
    what: keyof typeof sessionActions,
  ): Promise<void>;
  /** Resolves when it is recorded; throws when it cannot be. */
  done(request: IncomingMessage, address: string, subject: string, deed: Deed): Promise<void>;
}

const sessionActions = {
  SIGNIN: 'actions/identity/sessions/SIGNIN',
  SIGNOUT: 'actions/identity/sessions/SIGNOUT',
} as const;

const againAfterMs = 5 * 60_000;
/** google.rpc.Code.PERMISSION_DENIED. */
const denied = { code: 7, message: 'not_found: This instance does not exist, or you may not see it.' };

export function createTelling(options: {
  readonly audit: AuditWriter | undefined;
  /** Whether Haic's own issuer tells of sign-ins. */
  readonly issuerTells: boolean;
  readonly logger: Logger;
}): Telling {
  const { audit, issuerTells, logger } = options;
  const told = new LRUCache<string, true>({ max: 10_000, ttl: againAfterMs });
  const done: Telling['done'] = async (request, address, subject, deed) =>
    audit?.record({
      ...deed,
      principal: `users/${subject}`,
      sourceIpAddress: address,
      userAgent: String(request.headers['user-agent'] ?? ''),
    });
  return {
    done,
    session: async (request, address, subject, what) => {
      if (issuerTells) return;
      // That nobody could sign in any more would keep away those who put it right.
      await done(request, address, subject, {
        action: sessionActions[what],
        readOnly: false,
        resource: '//identity/sessions',
      }).catch((error: unknown) => logger.error({ err: error, what }, 'A sign-in could not be recorded.'));
    },
    refused: (request, address, subject, instanceId) => {
      const key = `${subject} ${instanceId}`;
      if (audit === undefined || told.has(key)) return;
      told.set(key, true);
      done(request, address, subject, {
        action: 'actions/appstore/instances/OPEN',
        readOnly: true,
        resource: `//appstore/instances/${instanceId}`,
        status: denied,
      }).catch((error: unknown) =>
        logger.warn(`That somebody was refused could not be recorded (${messageOf(error)}).`),
      );
    },
  };
}
