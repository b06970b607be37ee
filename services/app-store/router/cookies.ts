/** Names are host-only by prefix where TLS allows it; on plain loopback WebKit refuses Secure cookies, so there is no prefix. */
export interface CookieJar {
  readonly session: string;
  /** Binds a ticket to the browser that asked for it; lives at an app's host for the length of the sign-in. */
  readonly ticket: string;
  /** A sign-in under way; one for each, so that two tabs do not disturb each other. */
  signIn(state: string): string;
  readonly signInPrefix: string;
  /** A Set-Cookie line; without seconds it lasts until the browser ends, with 0 it is removed. */
  set(name: string, value: string, maxAgeSeconds?: number): string;
}

export function createCookieJar(secure: boolean): CookieJar {
  const prefix = secure ? '__Host-haic_' : 'haic_';
  const signInPrefix = `${prefix}signin_`;
  return {
    session: `${prefix}session`,
    ticket: `${prefix}ticket`,
    signInPrefix,
    signIn: (state) => `${signInPrefix}${state.slice(0, 10)}`,
    set: (name, value, maxAgeSeconds) =>
      `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}${
        maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`
      }`,
  };
}

export interface Cookie {
  readonly name: string;
  readonly value: string;
}

/** All cookies of a Cookie header in their order, duplicates included. */
export function parseCookies(header: string | undefined): Cookie[] {
  if (header === undefined || header === '') return [];
  const cookies: Cookie[] = [];
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    // A cookie without a name is sent as its value alone; it must not be read as one with a name.
    if (equals < 0) cookies.push({ name: '', value: part.trim() });
    else cookies.push({ name: part.slice(0, equals).trim(), value: part.slice(equals + 1).trim() });
  }
  return cookies;
}

/** Every value of one name: an app of a parent domain may have planted others beside the true one. */
export const valuesOf = (header: string | undefined, name: string): string[] =>
  header === undefined || !header.includes(name)
    ? []
    : parseCookies(header)
        .filter((cookie) => cookie.name === name)
        .map((cookie) => cookie.value);

const platformName = /^(__host-|__secure-)?haic_/i;
/** The platform's own cookies, in any spelling that a lax server might take for them. */
export const isPlatformCookie = (name: string): boolean => platformName.test(name);

const oidcName = 'oidcsession';
/** waved's cookie, as it is called in the browser: by the portal session it belongs to. */
export const oidcCookieOf = (portalSessionId: string): string =>
  `${oidcName}_${portalSessionId.slice(0, 16)}`;
const isOidcCookie = (name: string): boolean => name.toLowerCase().startsWith(oidcName);

/** Names of waved cookies in the browser that belong to a session that is no more. */
export const staleOidcCookies = (header: string | undefined, current: string | undefined): string[] =>
  header === undefined || !header.includes(oidcName)
    ? []
    : parseCookies(header)
        .map((cookie) => cookie.name)
        .filter((name) => /^oidcsession(_[\w-]+)?$/.test(name) && name !== current);

/**
 * The Cookie header as an app may see it: nothing of the platform, and waved's session only if it was made under this very session
 * (wave-app.md §7.7: else the browser's next user would still be the previous one inside the app).
 */
export function cookiesForApp(header: string, oidcCookie: string | undefined): string | undefined {
  const kept: string[] = [];
  for (const { name, value } of parseCookies(header)) {
    if (name === '' || isPlatformCookie(name)) continue;
    if (name === oidcCookie) kept.push(`${oidcName}=${value}`);
    else if (!isOidcCookie(name)) kept.push(`${name}=${value}`);
  }
  return kept.length === 0 ? undefined : kept.join('; ');
}

/** The issuer is part of the platform, but the portal's session is none of its business. */
export function cookiesForIssuer(header: string): string | undefined {
  const kept = parseCookies(header).filter(({ name }) => /^(__Secure-)?haic_idp_/.test(name));
  return kept.length === 0 ? undefined : kept.map(({ name, value }) => `${name}=${value}`).join('; ');
}

const connectCookie = /^(__Host-)?haic_connect_[\w-]+$/;

/** Of logins at other providers, which the secure store binds to the browser that began them. */
export function cookiesForConnections(header: string): string | undefined {
  const kept = parseCookies(header).filter(({ name }) => connectCookie.test(name));
  return kept.length === 0 ? undefined : kept.map(({ name, value }) => `${name}=${value}`).join('; ');
}

export const isConnectCookie = (line: string): boolean =>
  connectCookie.test(line.slice(0, Math.max(0, line.indexOf('='))));

/** An app's Set-Cookie line as the browser may see it; undefined when it reaches beyond the app's own host or poses as ours. */
export function setCookieFromApp(
  line: string,
  host: string,
  oidcCookie: string | undefined,
): string | undefined {
  const [pair = '', ...attributes] = line.split(';');
  const equals = pair.indexOf('=');
  const name = equals < 0 ? '' : pair.slice(0, equals).trim();
  if (name === '' || isPlatformCookie(name)) return undefined;
  const hostname = host.replace(/:\d+$/, '');
  for (const attribute of attributes) {
    const match = /^\s*domain\s*=\s*\.?([^\s]*)\s*$/i.exec(attribute);
    if (match !== null && match[1]?.toLowerCase() !== hostname) return undefined;
  }
  if (!isOidcCookie(name)) return line;
  if (name !== oidcName || oidcCookie === undefined) return undefined;
  return `${oidcCookie}${line.slice(line.indexOf('='))}`;
}
