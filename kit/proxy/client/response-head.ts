/** The other side's answer is not HTTP as it must be. Whatever else comes on its connection is not to be believed. */
export class BadResponse extends Error {}

/** How the body of an answer ends. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

export interface ResponseHead {
  readonly status: number;
  /** Name in lower case, value, name, value … as they came, duplicates included. */
  readonly headers: readonly string[];
  readonly framing: Framing;
  /** How long the connection may be kept for the next request, in milliseconds; 0 for not at all. */
  readonly keepMs: number;
}

/**
 * Shorter than the 5 s after which uvicorn, the server of most apps, closes an idle connection: else a request could be written
 * into a connection that is just being closed.
 */
const keepMs = 4_000;
const keepAtMostMs = 60_000;
/** So much earlier than the other side says that it closes. */
const keepMarginMs = 2_000;

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
/** Control characters, and line breaks of any other kind than CR LF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const decimal = /^\d{1,15}$/;

/** What frames the message, as it is collected line by line. */
interface Seen {
  length: string | undefined;
  encoding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
}

/**
 * Reads a status line and header lines, without the empty line at their end. As strict as a proxy has to be: what two readers could
 * frame differently is refused (RFC 9112 §5.1, §5.2, §6.1, §6.3, §11.1).
 */
export function readResponseHead(text: string, toHead: boolean): ResponseHead {
  if (forbidden.test(text))
    throw new BadResponse('The answer has a line break or a character that no header may have.');
  const firstEnd = text.indexOf('\r\n');
  const match = statusLine.exec(firstEnd < 0 ? text : text.slice(0, firstEnd));
  if (match === null) throw new BadResponse('The answer does not begin with a status line.');
  const status = Number(match[2]);
  const headers: string[] = [];
  const seen: Seen = { length: undefined, encoding: undefined, connection: undefined, keepAlive: undefined };
  for (let from = firstEnd + 2, end = firstEnd; end >= 0 && end < text.length; from = end + 2) {
    end = text.indexOf('\r\n', from);
    if (end < 0) end = text.length;
    const colon = text.indexOf(':', from);
    const name = text.slice(from, colon < 0 || colon > end ? from : colon);
    if (!token.test(name)) throw new BadResponse('The answer has a line that is no header.');
    const lower = name.toLowerCase();
    const value = trimmed(text, colon + 1, end);
    headers.push(lower, value);
    note(seen, lower, value);
  }
  const http11 = match[1] === '1';
  const framing = framingOf(status, seen, http11, toHead);
  return { status, headers, framing, keepMs: framing.kind === 'close' ? 0 : keptFor(seen, http11) };
}

/** Without spaces and tabs around it; `trim` would take away bytes of UTF-8 that look like spaces in Latin-1. */
function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 32 || code === 9;

function note(seen: Seen, name: string, value: string): void {
  switch (name) {
    case 'content-length':
      if (seen.length !== undefined) throw new BadResponse('The answer has more than one Content-Length.');
      if (!decimal.test(value)) throw new BadResponse('The Content-Length of the answer is no number.');
      seen.length = value;
      break;
    case 'transfer-encoding':
      if (seen.encoding !== undefined)
        throw new BadResponse('The answer has more than one Transfer-Encoding.');
      seen.encoding = value;
      break;
    case 'connection':
      seen.connection = seen.connection === undefined ? value : `${seen.connection},${value}`;
      break;
    case 'keep-alive':
      seen.keepAlive = value;
  }
}

const none: Framing = { kind: 'none' };
const chunked: Framing = { kind: 'chunked' };
const untilClose: Framing = { kind: 'close' };

function framingOf(status: number, seen: Seen, http11: boolean, toHead: boolean): Framing {
  if (seen.encoding !== undefined) {
    if (seen.length !== undefined)
      throw new BadResponse('The answer has both Content-Length and Transfer-Encoding.');
    if (seen.encoding.toLowerCase() !== 'chunked' || !http11)
      throw new BadResponse('The Transfer-Encoding of the answer is not understood.');
  }
  // Only a WebSocket's handshake asks for another protocol, and that takes another way.
  if (status === 101) throw new BadResponse('The answer changes to a protocol that nobody asked for.');
  if (toHead || status < 200 || status === 204 || status === 304) return none;
  if (seen.encoding !== undefined) return chunked;
  return seen.length === undefined ? untilClose : { kind: 'length', length: Number(seen.length) };
}

function keptFor(seen: Seen, http11: boolean): number {
  const options = seen.connection?.toLowerCase();
  if (options === undefined ? !http11 : !staysOpen(options, http11)) return 0;
  if (seen.keepAlive === undefined) return keepMs;
  const seconds = /(?:^|[\s,;])timeout=(\d{1,9})/i.exec(seen.keepAlive)?.[1];
  if (seconds === undefined) return keepMs;
  return Math.max(0, Math.min(Number(seconds) * 1000 - keepMarginMs, keepAtMostMs));
}

function staysOpen(options: string, http11: boolean): boolean {
  if (options === 'keep-alive') return true;
  const listed = options.split(',').map((option) => option.trim());
  return !listed.includes('close') && (http11 || listed.includes('keep-alive'));
}
