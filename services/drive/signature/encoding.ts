const alsoEncoded = /[!'()*]/g;

/** RFC 3986: everything but letters, digits and `-._~` as `%XX`. Throws for text that is no well-formed Unicode. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(
    alsoEncoded,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

export const percentEncodePath = (path: string): string => path.split('/').map(percentEncode).join('/');

/** The text, or undefined for an escape that is none and for bytes that are no UTF-8. */
export function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

/** In the order of the address; `+` is a space, as forms have it. Undefined when an escape is none. */
export function readQuery(rawQuery: string): QueryParameter[] | undefined {
  const parameters: QueryParameter[] = [];
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = percentDecode((equals < 0 ? pair : pair.slice(0, equals)).replaceAll('+', ' '));
    const value = percentDecode(equals < 0 ? '' : pair.slice(equals + 1).replaceAll('+', ' '));
    if (name === undefined || value === undefined) return undefined;
    parameters.push({ name, value });
  }
  return parameters;
}
