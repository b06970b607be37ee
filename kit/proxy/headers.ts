/**
 * What a caller of the proxy changes in the headers that pass. Hop-by-hop headers are the proxy's own matter: they are gone before
 * the rules see anything. Names arrive in lower case.
 */
export interface HeaderRules {
  /** The value to send on, or undefined to leave the header out. Called once for each line, so also for each duplicate. */
  readonly request?: (name: string, value: string) => string | undefined;
  /** Name, value, name, value … added to the request after the rules were applied. */
  readonly addToRequest?: readonly string[];
  /** Called once for each line; every Set-Cookie is a line of its own. */
  readonly response?: (name: string, value: string) => string | undefined;
  /** May add to the response (name, value, name, value …, names in lower case). */
  readonly completeResponse?: (headers: string[]) => void;
}

/**
 * RFC 9110 §7.6.1, and what older software sends. `Expect` is answered by this hop, trailers are dropped, and the framing of a
 * message is made anew on each side.
 */
const hopByHop = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Options of `Connection` that name no header to remove. */
const plainConnectionOptions = new Set(['keep-alive', 'close', 'upgrade', '']);
/** A client may not use `Connection` to take away what frames or addresses the message. */
const notRemovable = new Set(['host', 'content-length']);

/** Names that a `Connection` header lists for removal; undefined in the usual case that there are none. */
export function namesListedIn(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || plainConnectionOptions.has(connection)) return undefined;
  let listed: Set<string> | undefined;
  for (const part of connection.split(',')) {
    const name = part.trim().toLowerCase();
    if (plainConnectionOptions.has(name) || notRemovable.has(name)) continue;
    listed ??= new Set();
    listed.add(name);
  }
  return listed;
}

/** The end-to-end headers of a request (name, value, name, value …), after the rules. */
export function requestHeaders(
  raw: readonly string[],
  connection: string | undefined,
  rules: HeaderRules,
): string[] {
  const listed = namesListedIn(connection);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    if (hopByHop.has(name) || listed?.has(name)) continue;
    const value = raw[i + 1] ?? '';
    const sent = rules.request === undefined ? value : rules.request(name, value);
    if (sent !== undefined) headers.push(name, sent);
  }
  if (rules.addToRequest !== undefined) headers.push(...rules.addToRequest);
  return headers;
}

/** The end-to-end headers of a response (name, value, name, value …, names in lower case), after the rules. */
export function endToEndHeaders(received: readonly string[], rules: HeaderRules): string[] {
  let connection: string | undefined;
  for (let i = 0; i + 1 < received.length; i += 2)
    if (received[i] === 'connection')
      connection = connection === undefined ? received[i + 1] : `${connection},${received[i + 1]}`;
  const listed = namesListedIn(connection);
  const headers: string[] = [];
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i] ?? '';
    if (hopByHop.has(name) || listed?.has(name)) continue;
    pushRuled(headers, name, received[i + 1] ?? '', rules);
  }
  rules.completeResponse?.(headers);
  return headers;
}

/** The same of headers that were read by name. */
export function responseHeaders(
  received: Readonly<Record<string, string | string[] | undefined>>,
  rules: HeaderRules,
): string[] {
  const list: string[] = [];
  for (const name in received) for (const value of [received[name] ?? []].flat()) list.push(name, value);
  return endToEndHeaders(list, rules);
}

function pushRuled(headers: string[], name: string, value: string, rules: HeaderRules): void {
  const sent = rules.response === undefined ? value : rules.response(name, value);
  if (sent !== undefined) headers.push(name, sent);
}
