import { invalid } from '@haic/kit/errors.ts';
import type { EnvironmentRequest, WheelReference } from './client.ts';
import { isSha256 } from './wheels.ts';

/** A request as it came over the wire, checked: whoever can reach the socket can send anything. */
export function parseEnvironmentRequest(body: unknown): EnvironmentRequest {
  if (!isRecord(body)) throw wrong('a JSON object is expected');
  const { python, requirements, wheels, constraints, excludeNewer, publishedOn, scope } = body;
  if (typeof python !== 'string' || !/^(default|3\.\d{1,2})$/.test(python))
    throw wrong('python must be "default" or a version like "3.11"');
  if (typeof requirements !== 'string') throw wrong('requirements must be text');
  if (constraints !== undefined && typeof constraints !== 'string') throw wrong('constraints must be text');
  if (
    excludeNewer !== undefined &&
    !(typeof excludeNewer === 'string' && /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?$/.test(excludeNewer))
  )
    throw wrong('excludeNewer must be a date like 2025-01-31');
  if (publishedOn !== undefined && !(typeof publishedOn === 'string' && isDate(publishedOn)))
    throw wrong('publishedOn must be a date like 2025-01-31');
  if (scope !== undefined && !(typeof scope === 'string' && /^[\w.:-]{1,128}$/.test(scope)))
    throw wrong('scope must be a short word');
  return {
    python,
    requirements,
    wheels: parseWheels(wheels ?? []),
    ...(constraints === undefined ? {} : { constraints }),
    ...(excludeNewer === undefined ? {} : { excludeNewer }),
    ...(publishedOn === undefined ? {} : { publishedOn }),
    ...(scope === undefined ? {} : { scope }),
  };
}

function parseWheels(value: unknown): WheelReference[] {
  if (!Array.isArray(value) || value.length > 500) throw wrong('wheels must be a list of at most 500');
  return value.map((item: unknown) => {
    if (!isRecord(item) || typeof item.path !== 'string' || typeof item.sha256 !== 'string')
      throw wrong('each of wheels needs path and sha256');
    if (item.path.length > 1024 || !isSha256(item.sha256))
      throw wrong('each of wheels needs a short path and a sha256 of 64 hexadecimal digits');
    return { path: item.path, sha256: item.sha256 };
  });
}

const isDate = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

const wrong = (why: string) => invalid('invalid_request', `The request is not valid: ${why}.`);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
