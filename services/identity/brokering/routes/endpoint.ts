import type { HttpServer } from '@haic/kit/http/server.ts';
import { sendExpired } from '../../routes/interaction.ts';
import { profileOf } from '../profile.ts';
import { type BrokeringParts, brokerPath, config, queryOf, sendFailure, upstreamOf } from './parts.ts';

/**
 * GET …/broker/<alias>/endpoint: the redirect address that is registered at the provider. Redeems the code, verifies who it is for, and goes
 * on at the sign-in page, where the cookie of the sign-in under way reaches.
 */
export function registerEndpoint(scope: HttpServer, parts: BrokeringParts): void {
  scope.get(brokerPath(parts, 'endpoint'), { config }, async (request, reply) => {
    const upstream = upstreamOf(parts, request);
    if (upstream === undefined) return sendExpired(reply, parts);
    const { provider } = upstream;
    const query = queryOf(request);
    const at = { alias: provider.alias, state: query.get('state') ?? '' };
    const journey = await parts.journeys.end(request, reply, at);
    if (journey === undefined) return sendExpired(reply, parts);
    const { interaction, challenge } = journey;
    try {
      const callback = new URL(
        `${parts.publicUrl}${parts.issuerPath}/broker/${provider.alias}/endpoint?${query}`,
      );
      const { subject, claims, idToken } = await upstream.redeem(callback, challenge);
      const profile = profileOf(provider, subject, claims);
      await parts.journeys.keepGuest(reply, interaction, { alias: provider.alias, profile, idToken });
    } catch (error) {
      return sendFailure(request, reply, parts, { upstream, interaction, error });
    }
    const next = `${parts.issuerPath}/login/${interaction}/arrival`;
    return reply.header('cache-control', 'no-store').redirect(next, 303);
  });
}
