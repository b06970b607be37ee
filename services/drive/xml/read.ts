import type { Readable } from 'node:stream';
import { driveError } from '../errors.ts';

export interface XmlElement {
  /** Without a namespace's prefix. */
  readonly name: string;
  /** Of the element itself, its children's left out. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Requests have lists of flat entries: more is none of ours. */
const deepest = 8;
export const malformedXml = (why: string) =>
  driveError('MalformedXML', `The body is not the XML that is asked for: ${why}.`);

/** Ten thousand parts with their checksums fit. */
export const longestDocument = 4 * 1024 ** 2;

export async function readAll(body: Readable, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > mostBytes)
      throw driveError('MaxMessageLengthExceeded', `The body is longer than ${mostBytes} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

const token =
  /<\?[^>]*\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;

/**
 * The little of XML that S3 requests are made of: elements, text, CDATA and the five entities, with attributes passed over. Declarations of a
 * document type are refused, so there is nothing to expand.
 */
export function parseXml(source: string): XmlElement {
  const root: Building = { name: '', text: '', children: [] };
  const open: Building[] = [root];
  token.lastIndex = 0;
  const text = source.replace(/^\ufeff/, '');
  while (token.lastIndex < text.length) {
    const found = token.exec(text);
    if (found === null) throw malformedXml('it is not well formed');
    const [, cdata, closing, name, , selfClosing, plain] = found;
    const current = open.at(-1) ?? root;
    if (cdata !== undefined) current.text += cdata;
    else if (plain !== undefined) current.text += unescapeText(plain);
    else if (name !== undefined)
      takeTag(open, name.replace(/^.*:/, ''), closing === '/', selfClosing === '/');
  }
  const [document] = root.children;
  if (open.length !== 1 || root.children.length !== 1 || document === undefined || root.text.trim() !== '')
    throw malformedXml('it is not one whole element');
  return document;
}

interface Building {
  readonly name: string;
  text: string;
  readonly children: Building[];
}

function takeTag(open: Building[], name: string, closes: boolean, isEmpty: boolean): void {
  if (closes) {
    if (open.length < 2 || open.pop()?.name !== name || isEmpty)
      throw malformedXml(`</${name}> ends nothing`);
    return;
  }
  const made: Building = { name, text: '', children: [] };
  open.at(-1)?.children.push(made);
  if (!isEmpty) open.push(made);
  if (open.length > deepest) throw malformedXml('it is too deep');
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescapeText = (text: string): string =>
  text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{1,10}));|&/g, (_all, hex, decimal, name) => {
    const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
    const sign = Number.isNaN(code)
      ? Object.hasOwn(entities, name ?? '') && entities[name]
      : code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) && String.fromCodePoint(code);
    if (sign === undefined || sign === false) throw malformedXml('it has an entity that there is not');
    return sign;
  });

/** The text of the only child of that name; undefined without one. */
export function childText(element: XmlElement, name: string): string | undefined {
  const found = element.children.filter((child) => child.name === name);
  if (found.length > 1) throw malformedXml(`${name} is there twice`);
  return found[0]?.text;
}

export function expectRoot(element: XmlElement, name: string): XmlElement {
  if (element.name !== name) throw malformedXml(`it begins with ${element.name} and not with ${name}`);
  return element;
}
