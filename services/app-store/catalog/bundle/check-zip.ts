import { HaicError, messageOf } from '@haic/kit/errors.ts';
import { checkEntry } from './check-entry.ts';
import { decodeEntryName, NameClashes, nameProblem } from './entry-names.ts';
import { type InflatedEntry, verifyContent } from './inflate.ts';
import type { BundleLimits } from './limits.ts';
import { bundleInvalid, Problems, quote } from './problems.ts';
import { openZip, type ZipEntry, type ZipReader } from './zip-reader.ts';

/** A file of a checked archive: where its bytes are, and how large it really is. */
export interface BundleFile extends InflatedEntry {
  /** With "/" between folders; nothing hostile in it. */
  readonly path: string;
}

/** An archive of which every byte was looked at: no entry leaves it, hides in it, lies about itself or is too large. */
export interface CheckedZip {
  readonly files: ReadonlyMap<string, BundleFile>;
  readonly zip: ZipReader;
}

/**
 * Opens and checks the archive; what the caller gets must be closed. Throws `bundle_invalid` with all problems found. The steps are in
 * the order of their cost: an archive is inflated only after its directory was found sane.
 */
export async function checkZip(file: string, limits: BundleLimits, signal: AbortSignal): Promise<CheckedZip> {
  const zip = await openArchive(file);
  try {
    await checkEnds(zip, limits);
    const { files, ranges } = await readDirectory(zip, signal);
    checkRanges(zip, ranges);
    checkExpansion(files, zip.size, limits);
    for (const entry of files.values()) await verifyContent(zip, entry, signal);
    return { files, zip };
  } catch (error) {
    await zip.close();
    throw asBundleError(error, signal);
  }
}

/** yauzl's own messages are about what is wrong with the archive; everything that is not a system error is the bundle's fault. */
function asBundleError(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof HaicError) return error;
  if (signal.aborted)
    return bundleInvalid('bundle', 'Checking it takes too long.', 'Make it smaller or with fewer files.');
  if (error instanceof Error && 'syscall' in error) return error;
  return bundleInvalid('bundle', `The zip is damaged: ${messageOf(error)}.`, 'Make the bundle again.');
}

async function openArchive(file: string): Promise<ZipReader> {
  try {
    return await openZip(file);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw bundleInvalid(
      'bundle',
      `This is not a whole zip file (${messageOf(error)}).`,
      'A bundle is a plain zip archive, made by "h2o bundle" or "zip -r app.wave *".',
    );
  }
}

/** The first bytes, and the record at the end against what yauzl took from it: two readers must not see two archives. */
async function checkEnds(zip: ZipReader, limits: BundleLimits): Promise<void> {
  const damaged = (message: string) =>
    bundleInvalid('bundle', message, 'Make the bundle again with an ordinary zip tool.');
  if (zip.entryCount === 0)
    throw bundleInvalid('bundle', 'The zip is empty.', 'Put app.toml and the app into it.');
  if (zip.entryCount > limits.entries)
    throw bundleInvalid(
      'bundle',
      `It says it has ${zip.entryCount} entries; at most ${limits.entries} are allowed.`,
      'Leave out what the app does not need (.appignore).',
    );
  if (zip.size - zip.directoryStart > limits.directoryBytes)
    throw damaged('The directory of the zip is larger than any honest one.');
  if ((await zip.bytes(0, 4)).readUInt32LE() !== 0x04034b50)
    throw damaged('There is something before the first file of the zip.');
  const endStart = zip.size - 22 - zip.commentLength;
  const end = await zip.bytes(endStart, 22);
  const isZip64 = endStart >= 20 && (await zip.bytes(endStart - 20, 4)).readUInt32LE() === 0x07064b50;
  const agrees = (value: number, sentinel: number, truth: number) =>
    value === truth || (isZip64 && value === sentinel);
  if (
    !agrees(end.readUInt16LE(8), 0xffff, zip.entryCount) ||
    !agrees(end.readUInt16LE(10), 0xffff, zip.entryCount)
  )
    throw damaged('The zip says two numbers of entries.');
  if (!agrees(end.readUInt32LE(16), 0xffffffff, zip.directoryStart))
    throw damaged('The zip says two places of its directory.');
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

async function readDirectory(zip: ZipReader, signal: AbortSignal) {
  const problems = new Problems();
  const clashes = new NameClashes(problems);
  const files = new Map<string, BundleFile>();
  const ranges: Range[] = [];
  const entries: { entry: ZipEntry; name: string }[] = [];
  for await (const entry of zip.entries()) {
    signal.throwIfAborted();
    const name = decodeEntryName(entry.fileNameRaw);
    const wrong =
      name === undefined
        ? { message: 'A name in it is not UTF-8.', remedy: 'Rename that file with plain letters.' }
        : nameProblem(name);
    if (name === undefined || wrong !== undefined) {
      problems.add(
        quote(name ?? entry.fileNameRaw.toString('latin1')),
        null,
        wrong?.message ?? '',
        wrong?.remedy ?? '',
      );
      continue;
    }
    clashes.add(name);
    entries.push({ entry, name });
  }
  await checkDirectoryEnd(zip);
  for (const { entry, name } of entries) {
    signal.throwIfAborted();
    const local = await zip.localHeader(entry);
    checkEntry(entry, name, local, problems);
    const end = local.fileDataStart + entry.compressedSize;
    ranges.push({ start: entry.relativeOffsetOfLocalHeader, end, name });
    if (name.endsWith('/')) continue;
    files.set(name, {
      path: name,
      method: entry.compressionMethod,
      start: local.fileDataStart,
      end,
      size: entry.uncompressedSize,
      crc32: entry.crc32,
    });
  }
  problems.throwIfAny();
  return { files, ranges };
}

/** Right behind the last counted entry the end record must come: entries that only some readers see are refused. */
async function checkDirectoryEnd(zip: ZipReader): Promise<void> {
  const end = zip.directoryEnd();
  const signature = (await zip.bytes(end, 4)).toString('latin1');
  const endStart = zip.size - 22 - zip.commentLength;
  const says = (await zip.bytes(endStart, 22)).readUInt32LE(12);
  const isZip64 = signature === 'PK\x06\x06';
  if (
    (!isZip64 && end !== endStart) ||
    (says !== end - zip.directoryStart && !(isZip64 && says === 0xffffffff))
  )
    throw bundleInvalid(
      'bundle',
      'The directory of the zip is not as long as it says.',
      'Make the bundle again with an ordinary zip tool.',
    );
}

/** Files that share bytes are how small zips unpack to petabytes. */
function checkRanges(zip: ZipReader, ranges: Range[]): void {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  let before: Range = { start: 0, end: 0, name: '' };
  for (const range of sorted) {
    if (range.start < before.end || range.end > zip.directoryStart)
      throw bundleInvalid(
        range.name,
        `Its bytes overlap those of ${range.start < before.end ? quote(before.name) : "the zip's directory"}.`,
        'Make the bundle again with an ordinary zip tool.',
      );
    before = range;
  }
}

function checkExpansion(
  files: ReadonlyMap<string, BundleFile>,
  bundleSize: number,
  limits: BundleLimits,
): void {
  let total = 0;
  for (const file of files.values()) {
    total += file.size;
    const packed = Math.max(file.end - file.start, 1);
    if (file.size > limits.ratioFreeBytes && file.size / packed > limits.ratio)
      throw bundleInvalid(
        file.path,
        `It unpacks to ${Math.round(file.size / packed)} times its size; at most ${limits.ratio} times is allowed.`,
        'Leave it out, or let the app make it when it starts.',
      );
  }
  if (total > limits.expandedBytes)
    throw bundleInvalid(
      'bundle',
      `It unpacks to ${total} bytes; at most ${limits.expandedBytes} are allowed.`,
      'Leave out what the app does not need (.appignore), or let it download its data.',
    );
  if (total > limits.ratioFreeBytes && total / bundleSize > limits.ratio)
    throw bundleInvalid(
      'bundle',
      `It unpacks to ${Math.round(total / bundleSize)} times its size; at most ${limits.ratio} times is allowed.`,
      'Leave out what the app can make when it starts.',
    );
}
