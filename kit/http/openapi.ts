import swagger from '@fastify/swagger';
import type { FastifySchema, RouteOptions } from 'fastify';
import Type from 'typebox';
import { problems, refusalsOfEvery } from './operation.ts';
import type { HttpServer } from './server.ts';

declare module 'fastify' {
  interface FastifySchema {
    operationId?: string;
    summary?: string;
    description?: string;
    tags?: readonly string[];
    security?: readonly Record<string, readonly string[]>[];
    hide?: boolean;
  }
}

export interface ApiDescription {
  readonly title: string;
  readonly version: string;
  readonly publicUrl: string;
  /** Of the tags that routes use. */
  readonly tags: Readonly<Record<string, string>>;
  /** Every stable error code that an answer may carry. */
  readonly errorCodes: readonly string[];
  /** Which routes are the public API, by their path. */
  readonly describes: (path: string) => boolean;
}

type Json = Record<string, unknown>;

const documentPath = '/api/v1/openapi.json';
const bearer = 'bearer';

/**
 * Serves the OpenAPI 3.1 description of the API, made of the routes' own schemas. To be awaited before any route is registered, since it
 * hears of routes as they come.
 */
export async function describeApi(server: HttpServer, api: ApiDescription): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: api.title,
        version: api.version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: api.publicUrl }],
      tags: Object.entries(api.tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          [bearer]: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'An access token of the issuer, had with a platform token or the CLI’s.',
          },
        },
      },
    },
    stripBasePath: false,
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => ({
      url,
      schema: api.describes(url) ? completed(schema ?? {}, route) : { hide: true },
    }),
    transformObject: (document) =>
      finished(('openapiObject' in document ? document.openapiObject : {}) as Json, api.errorCodes),
  });
  const config = { public: 'API description' };
  const schema = {
    operationId: 'getApiDescription',
    summary: 'This document.',
    tags: ['About'],
    response: { 200: { type: 'object', additionalProperties: true } },
  };
  server.get(documentPath, { config, schema }, async (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(server.swagger()),
  );
}

/** Adds what goes without saying: who may call it, and the refusals of every operation of its form. */
function completed(schema: FastifySchema, { url, method, config }: RouteOptions): FastifySchema {
  const isPublic = config?.public !== undefined;
  const isIdempotent = config?.idempotent !== undefined;
  const refusals = refusalsOfEvery({
    isPublic,
    isIdempotent,
    names: url.includes(':'),
    takesBody: method !== 'GET',
  });
  return {
    ...schema,
    ...(isIdempotent ? { headers: idempotencyHeaders } : {}),
    security: isPublic ? [] : [{ [bearer]: [] }],
    response: { ...problems(...refusals), ...(schema.response as object | undefined) },
  };
}

const idempotencyHeaders = Type.Object({
  'Idempotency-Key': Type.Optional(
    Type.String({
      pattern: '^[!-~]{1,255}$',
      description:
        'A word of your own, best a UUID. Sent again with the same request within a day, it gives the first answer again, with ' +
        '`Idempotent-Replayed: true`, and makes nothing twice. Answers are given again without the passwords that were in them.',
    }),
  ),
});

/** The document as readers want it: named schemas by reference, codes by name, a body that may be absent not required. */
function finished(document: Json, errorCodes: readonly string[]): Json {
  const plain = JSON.parse(JSON.stringify(document)) as Json;
  const named: Record<string, Json> = {};
  const rewritten = rewrite(plain, named) as Json;
  const code = (named.Problem?.properties as Record<string, Json> | undefined)?.code;
  if (code !== undefined) code.enum = [...errorCodes].sort();
  return { ...rewritten, components: { ...(rewritten.components as Json), schemas: named } };
}

function rewrite(value: unknown, named: Record<string, Json>): unknown {
  if (Array.isArray(value)) return value.map((one) => rewrite(one, named));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Json;
  const copy: Json = {};
  for (const [key, inner] of Object.entries(object)) copy[key] = rewrite(inner, named);
  if (copy.description === 'Default Response') copy.description = 'Success.';
  if (copy.format === 'binary') copy.type = 'string';
  if ('requestBody' in copy) copy.requestBody = withOptionalBody(copy.requestBody as Json);
  if (!isNamedSchema(copy)) return copy;
  const { title, ...schema } = copy;
  const before = named[title];
  if (before !== undefined && JSON.stringify(before) !== JSON.stringify(schema))
    throw new Error(`Two different schemas have the title ${title}.`);
  named[title] = schema;
  return { $ref: `#/components/schemas/${title}` };
}

const isNamedSchema = (value: Json): value is Json & { title: string } =>
  typeof value.title === 'string' &&
  ('type' in value || 'anyOf' in value) &&
  /^[A-Z][A-Za-z]+$/.test(value.title);

/** A body schema that takes null is a body that may be left out. */
function withOptionalBody(body: Json): Json {
  const content = body.content as Record<string, { schema?: { anyOf?: Json[] } }>;
  const json = content['application/json'];
  const others = json?.schema?.anyOf?.filter((one) => one.type !== 'null');
  if (json?.schema?.anyOf === undefined || others?.length !== 1) return body;
  return { ...body, required: false, content: { ...content, 'application/json': { schema: others[0] } } };
}
