import path from 'node:path/posix';
import type { BundleFile } from './check-zip.ts';
import type { BundleLimits } from './limits.ts';
import { type Problems, quote } from './problems.ts';

export type ImageType = 'image/png' | 'image/jpeg';

export interface FoundImage {
  /** How the store serves it: `icon.png`, `screenshot-1.jpg`. */
  readonly name: string;
  readonly kind: 'icon' | 'screenshot';
  readonly contentType: ImageType;
  readonly file: BundleFile;
}

const typeOfExtension: Readonly<Record<string, ImageType>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
};
const notShown = ['.svg', '.gif', '.webp', '.bmp', '.ico', '.tif', '.tiff', '.avif'];

/** The icon and the screenshots by the names of wave-app.md §1, whatever their case; the screenshots in the order of their names. */
export function findImages(
  files: ReadonlyMap<string, BundleFile>,
  appName: string,
  limits: BundleLimits,
  problems: Problems,
): FoundImage[] {
  const inStatic = [...files.values()]
    .filter((file) => /^static\/[^/]+$/i.test(file.path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const named = (start: string) =>
    inStatic.filter((file) => baseOf(file).startsWith(start.toLowerCase()) && typeOf(file) !== undefined);
  const icon = named('icon')[0] ?? named(appName)[0];
  if (icon === undefined) refuseOtherIcon(inStatic, problems);
  const screenshots = named('screenshot').filter((file) => file !== icon);
  if (screenshots.length > limits.screenshots)
    problems.add(
      'static',
      null,
      `There are ${screenshots.length} screenshots.`,
      `At most ${limits.screenshots} are shown; remove some.`,
    );
  return [
    ...(icon === undefined ? [] : [image(icon, 'icon', 'icon', limits.iconBytes, problems)]),
    ...screenshots.map((file, i) =>
      image(file, `screenshot-${i + 1}`, 'screenshot', limits.screenshotBytes, problems),
    ),
  ];
}

const baseOf = (file: BundleFile) => path.basename(file.path).toLowerCase();
const typeOf = (file: BundleFile) => typeOfExtension[path.extname(baseOf(file))];

function image(
  file: BundleFile,
  name: string,
  kind: FoundImage['kind'],
  maxBytes: number,
  problems: Problems,
): FoundImage {
  if (file.size > maxBytes)
    problems.add(
      file.path,
      null,
      `It has ${file.size} bytes.`,
      `Make it smaller; at most ${maxBytes} bytes are allowed.`,
    );
  const contentType = typeOf(file) ?? 'image/png';
  return { name: `${name}.${contentType === 'image/png' ? 'png' : 'jpg'}`, kind, contentType, file };
}

/** An SVG can carry script; the others are no store's icons. Better said than silently not shown. */
function refuseOtherIcon(inStatic: readonly BundleFile[], problems: Problems): void {
  const other = inStatic.find((file) => notShown.some((extension) => baseOf(file) === `icon${extension}`));
  if (other !== undefined)
    problems.add(
      other.path,
      null,
      'An icon of this kind is not shown.',
      'Make it a PNG or JPEG: static/icon.png.',
    );
}

/** The content must be what its extension says, because a browser is told so and may not guess. */
export function checkImageContent(image: FoundImage, content: Buffer, problems: Problems): void {
  const isPng = content.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'));
  const isJpeg = content.length > 3 && content.readUIntBE(0, 3) === 0xffd8ff;
  const actual = isPng ? 'image/png' : isJpeg ? 'image/jpeg' : undefined;
  if (actual !== image.contentType)
    problems.add(
      image.file.path,
      null,
      `Its content is not ${image.contentType} as its name ${quote(path.extname(image.file.path))} says.`,
      actual === undefined ? 'Save it as PNG or JPEG.' : 'Rename it to what it is.',
    );
}
