import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32, deflateRawSync } from 'node:zlib';
import type { HaicError } from '@haic/kit/errors.ts';
import type { AppSecretsClient } from '@haic/services/secrets/app-secrets/client.ts';
import yazl from 'yazl';
import { type BundleLimits, defaultBundleLimits } from './bundle/limits.ts';
import type { Problem } from './bundle/problems.ts';
import { type Bundle, type BundleImage, readBundle } from './bundle/read-bundle.ts';
import type { ManifestRules } from './manifest/parse-manifest.ts';
import type { RuntimeVersion } from './manifest/runtime.ts';
import type { ExamineSecrets } from './manifest/secrets.ts';

export const runtimeVersions: readonly RuntimeVersion[] = [
  { name: 'deb_py311', python: '3.11', aliases: ['deb11_py310_wlatest'], default: true },
  { name: 'deb_py38', python: '3.8', aliases: [], deprecated: true },
];

export const helloToml = `[App]
Name = "ai.haic.hello"
Version = "1.0.0"
Title = "Hello"

[Runtime]
Module = "app"
`;

/** The smallest PNG there is, and the beginning of a JPEG. */
export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
export const jpeg = Buffer.from('ffd8ffe000104a46494600', 'hex');

export const problemsOf = (error: HaicError): readonly Problem[] =>
  (error.details?.problems ?? []) as readonly Problem[];

export interface ExampleSecrets extends Pick<AppSecretsClient, 'examine'> {
  /** Every app may have them: keys by the secret's name. */
  readonly kept: Map<string, readonly string[]>;
  /** Who asked, for which app. */
  readonly asked: { readonly app: string; readonly importer: string; readonly isImporters: boolean }[];
  /** While set every call fails with it. */
  down: Error | undefined;
}

export function exampleSecrets(): ExampleSecrets {
  const secrets: ExampleSecrets = {
    kept: new Map(),
    asked: [],
    down: undefined,
    async examine({ name, importer, isImporters }, references) {
      if (secrets.down !== undefined) throw secrets.down;
      secrets.asked.push({ app: name, importer: importer.subject, isImporters });
      return references.map(({ secret, key }) => {
        const keys = secrets.kept.get(secret);
        const remedy = 'Create it, or write Optional = true.';
        if (keys === undefined)
          return { code: 'secret_missing', message: `There is no secret "${secret}".`, remedy };
        if (keys.includes(key)) return undefined;
        return { code: 'secret_key_missing', message: `"${secret}" has no key "${key}".`, remedy };
      });
    },
  };
  return secrets;
}

const examineNothing: ExamineSecrets = (references) =>
  exampleSecrets().examine(
    {
      name: '',
      importer: { subject: '', username: '', roles: [], groups: [] },
      isImporters: true,
    },
    references,
  );

/** A zip as an ordinary tool makes it. */
export function zipOf(files: Record<string, string | Buffer>): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith('/')) zip.addEmptyDirectory(name);
    else zip.addBuffer(Buffer.from(content), name);
  }
  zip.end();
  return buffer(zip.outputStream);
}

/** One entry of a crafted zip; what is not given is honest. The `local…` ones are said beside the bytes only. */
export interface CraftedEntry {
  name: string | Buffer;
  content?: string | Buffer;
  localName?: string;
  localMethod?: number;
  localSize?: number;
  method?: 0 | 8 | number;
  flags?: number;
  mode?: number;
  extra?: Buffer;
  crc?: number;
  size?: number;
  packedSize?: number;
  /** Bytes to use instead of the compressed content. */
  packed?: Buffer;
  /** Where the directory says the entry is. */
  offset?: number;
}

export interface CraftedEnd {
  before?: Buffer;
  after?: Buffer;
  count?: number;
  directorySize?: number;
  directoryOffset?: number;
  /** More directory entries than are counted. */
  hidden?: CraftedEntry[];
}

const u16 = (...values: number[]) => Buffer.concat(values.map((v) => Buffer.from([v & 255, (v >> 8) & 255])));
const u32 = (...values: number[]) =>
  Buffer.concat(
    values.map((v) => Buffer.from([v & 255, (v >>> 8) & 255, (v >>> 16) & 255, (v >>> 24) & 255])),
  );

/** A zip byte by byte, for lies that no tool would write. */
export function craftZip(entries: readonly CraftedEntry[], end: CraftedEnd = {}): Buffer {
  const locals: Buffer[] = [end.before ?? Buffer.alloc(0)];
  const directory: Buffer[] = [];
  let at = locals[0]?.length ?? 0;
  for (const entry of [...entries, ...(end.hidden ?? [])]) {
    const { local, central } = craftEntry(entry, at);
    locals.push(local);
    directory.push(central);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const count = end.count ?? entries.length;
  return Buffer.concat([
    ...locals,
    central,
    u32(0x06054b50),
    u16(0, 0, count, count),
    u32(end.directorySize ?? central.length, end.directoryOffset ?? at),
    u16(0),
    end.after ?? Buffer.alloc(0),
  ]);
}

function craftEntry(entry: CraftedEntry, at: number): { local: Buffer; central: Buffer } {
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? 8;
  const packed = entry.packed ?? (method === 8 ? deflateRawSync(content) : content);
  const name = Buffer.from(entry.name);
  const localName = entry.localName === undefined ? name : Buffer.from(entry.localName);
  const flags = entry.flags ?? 0x800;
  const size = entry.size ?? content.length;
  const packedSize = entry.packedSize ?? packed.length;
  const crc = entry.crc ?? crc32(content);
  const extra = entry.extra ?? Buffer.alloc(0);
  const local = Buffer.concat([
    u32(0x04034b50),
    u16(20, flags, entry.localMethod ?? method, 0, 0),
    u32(crc, packedSize, entry.localSize ?? size),
    u16(localName.length, extra.length),
    localName,
    extra,
    packed,
  ]);
  const central = Buffer.concat([
    u32(0x02014b50),
    u16(0x031e, 20, flags, method, 0, 0),
    u32(crc, packedSize, size),
    u16(name.length, extra.length, 0, 0, 0),
    u32(((entry.mode ?? 0o100644) << 16) >>> 0, entry.offset ?? at),
    name,
    extra,
  ]);
  return { local, central };
}

/** Checks a bundle that is in memory, as an import would. */
export async function checkBundle(
  zip: Buffer,
  options: { limits?: Partial<BundleLimits>; rules?: Partial<ManifestRules>; signal?: AbortSignal } = {},
): Promise<Bundle & { images: BundleImage[] }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-bundle-'));
  const images: BundleImage[] = [];
  try {
    const file = path.join(directory, 'bundle.wave');
    await writeFile(file, zip);
    const bundle = await readBundle(
      file,
      {
        limits: { ...defaultBundleLimits, ...options.limits },
        rules: { runtimeVersions, ...options.rules },
        examineSecrets: (_name, references) => examineNothing(references),
        signal: options.signal ?? AbortSignal.timeout(60_000),
      },
      async () => {},
      async (image) => void images.push(image),
    );
    return { ...bundle, images };
  } finally {
    await rm(directory, { recursive: true });
  }
}
