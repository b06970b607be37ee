import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { HaicError } from '../errors.ts';
import { refusalsOfEvery } from './operation.ts';

/**
 * Answers are written as they are, whatever their schema says: a field that somebody forgot to describe must not vanish silently. Instead, where
 * answers are checked (every test; `HAIC_CHECK_ANSWERS`), one that its schema does not describe fails with a 500 that names the difference.
 */
export function describeAnswers(server: FastifyInstance, checked: boolean): void {
  if (!checked) {
    server.setSerializerCompiler(() => (data) => JSON.stringify(data));
    return;
  }
  server.setSerializerCompiler<TSchema>(({ schema, method, url, httpStatus }) => {
    const compiled = Compile(schema);
    return (data) => {
      const text = JSON.stringify(data);
      const sent: unknown = JSON.parse(text);
      if (compiled.Check(sent)) return text;
      const wrong = compiled.Errors(sent).map((error) => `${error.instancePath || '/'} ${error.message}`);
      throw undescribed(`${method} ${url} ${httpStatus ?? ''}`, wrong.join('; '));
    };
  });
  server.addHook('onSend', async (request, reply) => {
    const { operationId, response } = request.routeOptions.schema ?? {};
    if (operationId === undefined || isDescribed(request, response, reply.statusCode)) return;
    throw undescribed(`${request.method} ${request.routeOptions.url}`, `status ${reply.statusCode}`);
  });
}

const undescribed = (where: string, what: string) =>
  new HaicError('undescribed_answer', 500, `${where} answered what its schema does not describe: ${what}`);

function isDescribed(request: FastifyRequest, response: unknown, status: number): boolean {
  if (typeof response === 'object' && response !== null && String(status) in response) return true;
  const { url = '', config, method } = request.routeOptions;
  return refusalsOfEvery({
    isPublic: config.public !== undefined,
    names: url.includes(':'),
    isIdempotent: config.idempotent !== undefined,
    takesBody: method !== 'GET' && method !== 'HEAD',
  }).includes(status);
}
