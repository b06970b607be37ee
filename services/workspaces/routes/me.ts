import { type HttpServer, principalOf } from '@haic/kit/http/server.ts';

/** `GET <mlops-api>/me`: the clients of MLOps read the header, and ask for that user then (contracts/mlops.md §5). */
export function registerMe(server: HttpServer, prefix: string): void {
  const config = { deed: 'see who one is' } as const;
  server.get(`${prefix}/me`, { config, schema: { hide: true } }, async (request, reply) => {
    const { subject } = principalOf(request);
    reply.header('x-user-id', encodeURIComponent(subject));
    return { name: `users/${subject}` };
  });
}
