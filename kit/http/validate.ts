import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/**
 * Checks what comes in against its schema. Texts of an address or a header become the numbers and booleans that are expected there, and only when
 * they are written as such: `pageSize=true` is no 1. A body is taken as it is.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  const isText = httpPart !== 'body';
  return (sent: unknown) => {
    const value = isText ? fromTexts(schema, sent) : sent;
    if (compiled.Check(value)) return { value };
    // The type of Fastify's errors is that of ajv, whose two fields that are read here TypeBox's have too.
    const error = compiled.Errors(value).map(({ instancePath, message, keyword, schemaPath, params }) => ({
      ...{ instancePath, message, keyword, schemaPath },
      params: params as Record<string, unknown>,
    }));
    return { error: error as unknown as Error };
  };
};

interface Parts {
  readonly properties?: Readonly<Record<string, { readonly type?: unknown } | undefined>>;
}

function fromTexts(schema: TSchema, sent: unknown): unknown {
  const { properties } = schema as Parts;
  if (properties === undefined || typeof sent !== 'object' || sent === null) return sent;
  return Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [
      name,
      typeof value === 'string' && Object.hasOwn(properties, name)
        ? fromText(properties[name]?.type, value)
        : value,
    ]),
  );
}

function fromText(type: unknown, text: string): unknown {
  if ((type === 'integer' || type === 'number') && /^-?\d{1,15}(\.\d{1,15})?$/.test(text))
    return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
