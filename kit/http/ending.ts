import type { FastifyInstance } from 'fastify';
import { unavailable } from '../errors.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It applies the settings that the process began with: one that is ending, and may have old ones, leaves it to the next. */
    appliesSettings?: true;
  }
}

/**
 * Who was told that it will end answers what it is asked until then, and has each connection end with the answer, so that who keeps connections
 * opens the next one to another process. Closing, later, cuts all connections at once.
 */
export function answerWhileEnding(server: FastifyInstance, isEnding: () => boolean): void {
  server.addHook('onRequest', async ({ routeOptions }, reply) => {
    if (!isEnding()) return;
    reply.header('connection', 'close');
    if (routeOptions.config.appliesSettings !== true) return;
    reply.header('retry-after', 2);
    throw unavailable(
      'service_unavailable',
      'This process of Haic is ending and another one takes its place. Nothing was changed; try again in a moment.',
    );
  });
}
