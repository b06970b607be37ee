/** An element: a name and text, or a name and elements. */
export type Xml = readonly [name: string, content: string | number | boolean | readonly (Xml | undefined)[]];

/** With the declaration, as S3 and STS answer. */
export const xmlDocument = (root: Xml, namespace?: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, namespace === undefined ? '' : ` xmlns="${namespace}"`)}`;

function element([name, content]: Xml, attributes = ''): string {
  const inner =
    typeof content === 'object'
      ? content.map((child) => (child === undefined ? '' : element(child))).join('')
      : escapeText(String(content));
  return `<${name}${attributes}>${inner}</${name}>`;
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Control characters as references: XML 1.0 has no other way, and most readers take them. */
const escapeText = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be escaped
    /[&<>"\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,
    (sign) => escapes[sign] ?? `&#x${sign.charCodeAt(0).toString(16)};`,
  );
