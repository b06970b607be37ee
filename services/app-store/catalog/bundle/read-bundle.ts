import type { Manifest } from '../client.ts';
import { type ManifestRules, readManifest } from '../manifest/parse-manifest.ts';
import { type ExamineSecrets, secretsLacking, secretsWanted } from '../manifest/secrets.ts';
import { manifestFile } from '../manifest/table.ts';
import { type BundleFile, type CheckedZip, checkZip } from './check-zip.ts';
import { checkImageContent, type FoundImage, findImages } from './images.ts';
import { readContent } from './inflate.ts';
import type { BundleLimits } from './limits.ts';
import { bundleInvalid, Problems, quote } from './problems.ts';

export interface BundleImage extends FoundImage {
  readonly content: Buffer;
}

/** All that the store keeps of a bundle besides the bundle itself. */
export interface Bundle {
  readonly manifest: Manifest;
  /** Markdown; empty when there is none. */
  readonly longDescription: string;
  readonly requirements: string | undefined;
  readonly packages: string | undefined;
}

export interface BundleOptions {
  readonly limits: BundleLimits;
  readonly rules: ManifestRules;
  /** What an app of this name lacks of the secrets that it names, for the one who imports it. */
  readonly examineSecrets: (
    appName: string,
    ...rest: Parameters<ExamineSecrets>
  ) => ReturnType<ExamineSecrets>;
  readonly signal: AbortSignal;
}

/**
 * Checks the zip and everything in it that the platform reads. Images are handed on one by one, so that not all are in memory.
 * Throws `bundle_invalid` (400) with all problems.
 */
export async function readBundle(
  file: string,
  options: BundleOptions,
  onManifest: (manifest: Manifest) => Promise<void>,
  onImage: (image: BundleImage) => Promise<void>,
): Promise<Bundle> {
  const { limits } = options;
  const archive = await checkZip(file, limits, options.signal);
  try {
    const manifest = await checkManifest(archive, options);
    const problems = new Problems();
    const texts = {
      requirements: await readText(archive, 'requirements.txt', limits, problems),
      packages: await readText(archive, 'packages.txt', limits, problems),
      longDescription: (await readLongDescription(archive, manifest, limits, problems)) ?? '',
    };
    const images = findImages(withoutLitter(archive), manifest.name, limits, problems);
    problems.throwIfAny();
    for (const image of images)
      checkImageContent(image, await readContent(archive.zip, image.file), problems);
    problems.throwIfAny();
    await onManifest(manifest);
    for (const image of images)
      await onImage({ ...image, content: await readContent(archive.zip, image.file) });
    return { manifest, ...texts };
  } finally {
    await archive.zip.close();
  }
}

/** Without what macOS adds to every zip. */
const withoutLitter = (archive: CheckedZip): Map<string, BundleFile> =>
  new Map([...archive.files].filter(([path]) => !/(^|\/)(__MACOSX\/|\.DS_Store$|\._)/.test(path)));

async function checkManifest(archive: CheckedZip, options: BundleOptions): Promise<Manifest> {
  const problems = new Problems();
  if (!archive.files.has(manifestFile)) throw manifestMissing(archive);
  const limits = { ...options.limits, textBytes: options.limits.manifestBytes };
  const text = await readText(archive, manifestFile, limits, problems);
  problems.throwIfAny();
  const read = readManifest(text ?? '', options.rules);
  const { manifest } = read;
  // What was refused for its form is not looked for.
  const wanted = secretsWanted(manifest).filter(({ from }) => read.secrets.has(from));
  const examine: ExamineSecrets = (references) => options.examineSecrets(manifest.name, references);
  for (const {
    wanted: { from },
    lack,
  } of await secretsLacking(wanted, examine))
    read.secrets
      .get(from)
      ?.problem(lack.code === 'secret_key_missing' ? 'SecretKey' : 'Secret', lack.message, lack.remedy);
  read.problems.throwIfAny();
  return manifest;
}

/** The two mistakes that people make: they zipped the folder instead of what is in it, or wrote App.toml. */
function manifestMissing(archive: CheckedZip) {
  const paths = [...withoutLitter(archive).keys()];
  const otherCase = paths.find((path) => path.toLowerCase() === manifestFile);
  if (otherCase !== undefined)
    return bundleInvalid(otherCase, 'The file must be called app.toml, in lower case.', 'Rename it.');
  const inside = paths.find((path) => /^[^/]+\/app\.toml$/i.test(path));
  if (inside !== undefined) {
    const folder = inside.slice(0, inside.indexOf('/'));
    return bundleInvalid(
      manifestFile,
      `It is inside the folder ${quote(folder)}; it must be at the root of the zip.`,
      'Zip what is in the folder, not the folder: cd into it, then zip -r ../app.wave *',
    );
  }
  return bundleInvalid(manifestFile, 'The bundle has none.', 'Put app.toml at the root of the zip.');
}

async function readText(
  archive: CheckedZip,
  path: string,
  limits: BundleLimits,
  problems: Problems,
): Promise<string | undefined> {
  const file = archive.files.get(path);
  if (file === undefined) return undefined;
  if (file.size > limits.textBytes) {
    problems.add(path, null, `It has ${file.size} bytes.`, `At most ${limits.textBytes} are allowed.`);
    return undefined;
  }
  const content = await readContent(archive.zip, file);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    if (!text.includes('\0')) return text;
  } catch {
    // Said below.
  }
  problems.add(path, null, 'It is not UTF-8 text.', 'Save it as UTF-8.');
  return undefined;
}

async function readLongDescription(
  archive: CheckedZip,
  manifest: Manifest,
  limits: BundleLimits,
  problems: Problems,
): Promise<string | undefined> {
  const path = manifest.longDescriptionPath;
  if (path === undefined) return undefined;
  if (!archive.files.has(path)) {
    problems.add(
      manifestFile,
      'App.LongDescription',
      `The bundle has no file ${quote(path)}.`,
      'Add the Markdown file, or remove the key.',
    );
    return undefined;
  }
  return readText(archive, path, limits, problems);
}
