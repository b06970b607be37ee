import { createHash } from 'node:crypto';
import { driveError } from '../errors.ts';
import { createCrc32, createCrc32c, createCrc64Nvme } from './crc.ts';

/** Something that is fed a content and says its digest at the end. */
export interface Digest {
  update(data: Buffer): void;
  digest(): Buffer;
}

const digestOf = (name: string): Digest => {
  const hash = createHash(name);
  return { update: (data) => void hash.update(data), digest: () => hash.digest() };
};

/** The checksums of "Checking object integrity", by the header that carries each. */
const algorithms: Readonly<Record<string, { readonly bytes: number; readonly create: () => Digest }>> = {
  'x-amz-checksum-crc32': { bytes: 4, create: createCrc32 },
  'x-amz-checksum-crc32c': { bytes: 4, create: createCrc32c },
  'x-amz-checksum-crc64nvme': { bytes: 8, create: createCrc64Nvme },
  'x-amz-checksum-sha1': { bytes: 20, create: () => digestOf('sha1') },
  'x-amz-checksum-sha256': { bytes: 32, create: () => digestOf('sha256') },
};

/** Headers beside them that say something about a checksum and carry none. */
const aboutChecksums = ['x-amz-checksum-mode', 'x-amz-checksum-type', 'x-amz-checksum-algorithm'];

export interface ExpectedChecksum {
  readonly header: string;
  readonly digest: Digest;
  /** Undefined while it is still to come, behind the body. */
  value: string | undefined;
}

type Get = (name: string) => string | undefined;

/** What the headers say that the content's checksum is, or will be said to be in the trailer. At most one. */
export function expectedChecksum(names: Iterable<string>, get: Get): ExpectedChecksum | undefined {
  const given = [...names].filter(
    (name) => name.startsWith('x-amz-checksum-') && !aboutChecksums.includes(name),
  );
  const trailer = get('x-amz-trailer')?.toLowerCase().trim();
  const [header = trailer, ...more] = given;
  if (header === undefined) return undefined;
  if (more.length > 0 || (trailer !== undefined && given.length > 0))
    throw driveError('InvalidRequest', 'A body has one checksum.');
  const algorithm = Object.hasOwn(algorithms, header) ? algorithms[header] : undefined;
  if (algorithm === undefined)
    throw driveError('InvalidRequest', `Drive knows the checksums ${Object.keys(algorithms).join(', ')}.`);
  const value = header === trailer ? undefined : get(header);
  if (value !== undefined) checkForm(header, value);
  return { header, digest: algorithm.create(), value };
}

export function checkForm(header: string, value: string): void {
  const bytes = algorithms[header]?.bytes;
  const decoded = Buffer.from(value, 'base64');
  if (decoded.length !== bytes || decoded.toString('base64') !== value)
    throw driveError('InvalidRequest', `The value of ${header} is no such checksum.`);
}
