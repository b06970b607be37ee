import type { HttpServer } from '@haic/kit/http/server.ts';
import { signedOutPage } from '../../pages/messages.ts';
import { type PageContext, sendPage } from '../../routes/forms.ts';
import type { UpstreamSignOut } from '../sign-out.ts';
import { brokerPath, config, queryOf } from './parts.ts';

/** GET …/broker/<alias>/endpoint/logout_response: back from signing out at the provider. */
export function registerSignedOut(
  scope: HttpServer,
  parts: PageContext & { upstreamSignOut: UpstreamSignOut },
): void {
  scope.get(brokerPath(parts, 'endpoint/logout_response'), { config }, async (request, reply) => {
    const returnTo = parts.upstreamSignOut.returnAddress(queryOf(request).get('state') ?? '');
    if (returnTo === undefined) return sendPage(reply, 200, signedOutPage(parts.publicUrl));
    return reply.header('cache-control', 'no-store').redirect(returnTo, 303);
  });
}
