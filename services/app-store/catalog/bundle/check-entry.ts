import { crc32 } from 'node:zlib';
import { type Problems, quote } from './problems.ts';
import type { LocalHeader, ZipEntry } from './zip-reader.ts';

const flag = {
  encrypted: 0x1,
  descriptor: 0x8,
  patch: 0x20,
  strongEncryption: 0x40,
  utf8: 0x800,
  masked: 0x2000,
};
const mode = { mask: 0xf000, directory: 0x4000, file: 0x8000, link: 0xa000 };
const extra = { zip64: 0x0001, pkwareUnix: 0x000d, asiUnix: 0x756e, unicodePath: 0x7075 };

const remedy = 'Make the bundle again with an ordinary zip tool, from files and folders only.';

/** What an entry says of itself, in the directory and beside its bytes. */
export function checkEntry(entry: ZipEntry, name: string, local: LocalHeader, problems: Problems): void {
  const encrypted = flag.encrypted | flag.strongEncryption | flag.masked;
  if ((entry.generalPurposeBitFlag | local.generalPurposeBitFlag) & encrypted)
    problems.add(name, null, 'It is encrypted.', 'Make the bundle without a password.');
  else if (![0, 8].includes(entry.compressionMethod) || entry.generalPurposeBitFlag & flag.patch)
    problems.add(
      name,
      null,
      `It is packed by method ${entry.compressionMethod}, which is not read.`,
      'Use deflate.',
    );
  checkKind(entry, name, problems);
  for (const message of headerDifferences(entry, name, local)) problems.add(name, null, message, remedy);
}

/** Unix mode bits are honoured by unpackers whatever system the entry claims to come from. */
function checkKind(entry: ZipEntry, name: string, problems: Problems): void {
  const isFolder = name.endsWith('/');
  const type = (entry.externalFileAttributes >>> 16) & mode.mask;
  if (type === mode.link || hasLinkExtra(entry))
    problems.add(
      name,
      null,
      'It is a link.',
      'Put the file itself into the bundle (zip does so without -y).',
    );
  else if (type !== 0 && type !== mode.file && type !== mode.directory)
    problems.add(name, null, 'It is a device, socket or pipe.', 'Leave it out.');
  else if (type === mode.directory && !isFolder)
    problems.add(name, null, 'It is a folder by its mode and a file by its name.', remedy);
  if (isFolder && entry.uncompressedSize !== 0)
    problems.add(name, null, 'It is a folder with content.', remedy);
}

/** Old Unix extra fields that carry the target of a symbolic or hard link. */
const hasLinkExtra = (entry: ZipEntry): boolean =>
  entry.extraFields.some(
    ({ id, data }) =>
      (id === extra.pkwareUnix && data.length > 12) ||
      (id === extra.asiUnix &&
        data.length >= 10 &&
        (data.readUInt32LE(6) !== 0 || (data.readUInt16LE(4) & mode.mask) === mode.link)),
  );

/** Readers that believe the one header must see the same file as those that believe the other. */
function headerDifferences(entry: ZipEntry, name: string, local: LocalHeader): string[] {
  const found: string[] = [];
  if (!local.fileName.equals(entry.fileNameRaw))
    found.push(`Beside its bytes it is called ${quote(local.fileName.toString())}.`);
  if (local.compressionMethod !== entry.compressionMethod) found.push('It says two compression methods.');
  const unknownSizes = (local.generalPurposeBitFlag & flag.descriptor) !== 0;
  const sizes = localSizes(local);
  const agrees = (here: number, there: number) => here === there || (unknownSizes && here === 0);
  if (!agrees(sizes.compressed, entry.compressedSize) || !agrees(sizes.uncompressed, entry.uncompressedSize))
    found.push('It says two sizes.');
  if (!agrees(local.crc32, entry.crc32)) found.push('It says two checksums.');
  for (const { id, data } of [...entry.extraFields, ...extraFieldsOf(local.extraField)])
    if (
      id === extra.unicodePath &&
      data.length > 5 &&
      data.readUInt32LE(1) === crc32(entry.fileNameRaw) &&
      data.toString('utf8', 5) !== name
    )
      found.push(`It has a second name, ${quote(data.toString('utf8', 5))}.`);
  return found;
}

function localSizes(local: LocalHeader): { compressed: number; uncompressed: number } {
  const zip64 = extraFieldsOf(local.extraField).find(({ id }) => id === extra.zip64)?.data;
  let at = 0;
  const take = (value: number) => {
    if (value !== 0xffffffff || zip64 === undefined || at + 8 > zip64.length) return value;
    at += 8;
    return Number(zip64.readBigUInt64LE(at - 8));
  };
  const uncompressed = take(local.uncompressedSize);
  return { uncompressed, compressed: take(local.compressedSize) };
}

function extraFieldsOf(bytes: Buffer): { id: number; data: Buffer }[] {
  const fields: { id: number; data: Buffer }[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    fields.push({ id: bytes.readUInt16LE(at), data: bytes.subarray(at + 4, end) });
    at = end;
  }
  return fields;
}
