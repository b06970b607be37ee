import fastifyStatic from '@fastify/static';
import type { HttpServer } from '@haic/kit/http/server.ts';

const isPage = 'the portal is a page; what it shows is asked for by the signed-in person';

/** Paths of APIs: a miss there is an error for a program, never the portal's page. */
const apiPath = /^\/(api|auth|cli|internal|oauth2|\.ai\.h2o\.cloud\.discovery)(\/|$)/;

/** The built portal: files as they are, and its page for every address that the browser's router knows. */
export async function registerPortal(server: HttpServer, directory: string): Promise<void> {
  await server.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: directory,
      serve: false,
      cacheControl: false,
      etag: true,
    });
    scope.get<{ Params: { '*': string } }>('/*', { config: { public: isPage } }, async (request, reply) => {
      const path = `/${request.params['*']}`;
      if (apiPath.test(path)) return reply.callNotFound();
      const isFile = /\.[a-z0-9]+$/i.test(path);
      // A program that asks at an address where no service is (any more) must not take a page for its answer.
      const isForPeople = path === '/' || request.headers.accept?.includes('text/html') === true;
      if (!isFile && !isForPeople) return reply.callNotFound();
      // Names of assets carry a hash of their content, so they never change; the page that names them may change any time.
      reply.header(
        'cache-control',
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
      return reply.sendFile(isFile ? path.slice(1) : 'index.html');
    });
  });
}
