import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Makes a package index (PEP 503) of a folder of wheels, as files: `<project>/index.html` with the wheels beside it. */
export async function writeIndex(wheels: string, target: string): Promise<void> {
  const links = new Map<string, string[]>();
  for (const file of (await readdir(wheels)).sort()) {
    const project = normalised(file.split('-')[0] ?? '');
    const folder = path.join(target, project);
    await mkdir(folder, { recursive: true });
    await cp(path.join(wheels, file), path.join(folder, file));
    const sha256 = createHash('sha256')
      .update(await readFile(path.join(folder, file)))
      .digest('hex');
    links.set(project, [
      ...(links.get(project) ?? []),
      `<a href="${encodeURIComponent(file)}#sha256=${sha256}">${file}</a>`,
    ]);
  }
  for (const [project, lines] of links)
    await writeFile(path.join(target, project, 'index.html'), page(lines));
  await writeFile(
    path.join(target, 'index.html'),
    page([...links.keys()].map((project) => `<a href="${project}/">${project}</a>`)),
  );
}

/** PEP 503: names that differ in case and separators alone are one. */
const normalised = (name: string) => name.replace(/[-_.]+/g, '-').toLowerCase();
const page = (lines: readonly string[]) =>
  `<!DOCTYPE html><html><body>\n${lines.join('<br>\n')}\n</body></html>\n`;
