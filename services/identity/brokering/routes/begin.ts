import type { HttpServer } from '@haic/kit/http/server.ts';
import { sendExpired } from '../../routes/interaction.ts';
import { newChallenge } from '../upstream.ts';
import {
  type BrokeringParts,
  brokerPath,
  config,
  isInteractionUid,
  queryOf,
  sendFailure,
  upstreamOf,
} from './parts.ts';

/** GET …/broker/<alias>/login?interaction=<uid>: the button on the sign-in page. Sends the browser to the provider. */
export function registerBegin(scope: HttpServer, parts: BrokeringParts): void {
  scope.get(brokerPath(parts, 'login'), { config }, async (request, reply) => {
    const upstream = upstreamOf(parts, request);
    const uid = queryOf(request).get('interaction') ?? '';
    const interaction = isInteractionUid(uid)
      ? await parts.issuer.provider().Interaction.find(uid)
      : undefined;
    if (upstream === undefined || interaction?.prompt.name !== 'login') return sendExpired(reply, parts);
    const challenge = newChallenge();
    const { login_hint: hint, prompt } = interaction.params;
    try {
      const url = await upstream.signInUrl(challenge, {
        ...(typeof hint === 'string' ? { login: hint.slice(0, 200) } : {}),
        // An app that wants to see its person sign in again is not served by a session that the provider still has.
        again:
          String(prompt ?? '')
            .split(' ')
            .includes('login') || interaction.params.max_age !== undefined,
      });
      await parts.journeys.begin(reply, { alias: upstream.provider.alias, interaction: uid, challenge });
      return reply.header('cache-control', 'no-store').redirect(url, 303);
    } catch (error) {
      return sendFailure(request, reply, parts, { upstream, interaction: uid, error });
    }
  });
}
