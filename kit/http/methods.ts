import type { FastifyInstance } from 'fastify';

/** Which methods an address knows, for who asks with another. Addresses with a wildcard are nobody's in particular. */
export function knownMethods(server: FastifyInstance): (path: string) => string[] {
  const routes: { segments: string[]; methods: string[] }[] = [];
  server.addHook('onRoute', ({ url, method }) => {
    if (!url.includes('*')) routes.push({ segments: url.split('/'), methods: [method].flat() });
  });
  return (path) => {
    const asked = path.split('/');
    const found = routes.filter(
      ({ segments }) =>
        segments.length === asked.length &&
        segments.every((segment, index) => segment.startsWith(':') || segment === asked[index]),
    );
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  };
}
