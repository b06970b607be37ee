/** Names and values that every store keeps as they are. */
const plainName = /^[a-z][a-z0-9_]{0,100}$/;
const plainValue = /^[!-~](?:[ -~]*[!-~])?$/;
const packed = 'haic_metadata';
const keyName = 'haic_key';

/** Metadata as an object keeps it: as it is where every store can, else in one entry; with the key that the name does not say. */
export function packMetadata(
  metadata: Readonly<Record<string, string>>,
  hashedKey: string | undefined,
): Record<string, string> {
  const isPlain = Object.entries(metadata).every(
    ([name, value]) => plainName.test(name) && !name.startsWith('haic_') && plainValue.test(value),
  );
  return {
    ...(isPlain ? metadata : { [packed]: encode(JSON.stringify(metadata)) }),
    ...(hashedKey === undefined ? {} : { [keyName]: encode(hashedKey) }),
  };
}

export function unpackMetadata(
  kept: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> {
  const text = kept[packed];
  if (text !== undefined) return JSON.parse(decode(text)) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(kept).flatMap(([name, value]) =>
      value === undefined || name.startsWith('haic_') ? [] : [[name, value]],
    ),
  );
}

export function keyInMetadata(kept: Readonly<Record<string, string | undefined>> = {}): string | undefined {
  const text = kept[keyName];
  return text === undefined ? undefined : decode(text);
}

const encode = (text: string) => Buffer.from(text).toString('base64url');
const decode = (text: string) => Buffer.from(text, 'base64url').toString();
