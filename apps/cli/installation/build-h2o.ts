import { chmod, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The same file must run as a script and, where a package.json beside it says so, as a module: so it has neither `import` nor the
 * `require` of a script at its top level, and asks Node itself for what is built in.
 */
const head = `#!/usr/bin/env node
;((require) => {`;
const foot = `})(typeof require === 'function' ? require : (name) => process.getBuiltinModule(name));`;

/**
 * Writes the `h2o` command line as one executable file for Node 20 and newer, with the licences of what it contains. `./haic` itself
 * is of the same source, but needs the clone.
 */
export async function buildH2o(target: string): Promise<void> {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    entryPoints: [path.join(root, 'apps/cli/h2o/main.ts')],
    absWorkingDir: root,
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    define: { H2O_SINGLE_FILE: 'true' },
    // Names stay, so that a stack trace can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'error',
  });
  const code = outputFiles[0]?.text ?? '';
  await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
  const staging = `${target}.${process.pid}.tmp`;
  await writeFile(staging, `${head}\n${code}${foot}\n${await licencesOf(metafile)}`);
  await chmod(staging, 0o755);
  await rename(staging, target);
}

/** The licence of every package that went into it, as they ask for. */
async function licencesOf(metafile: Metafile): Promise<string> {
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap(
      (input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [],
    ),
  );
  const texts = await Promise.all([...packages].sort().map(licenceOf));
  const own = await readFile(path.join(root, 'LICENSE'), 'utf8');
  return commented(['Haic is licensed under:', own, ...texts].join('\n\n'));
}

async function licenceOf(directory: string): Promise<string> {
  const folder = path.join(root, directory);
  const { name, version, license } = JSON.parse(
    await readFile(path.join(folder, 'package.json'), 'utf8'),
  ) as { name: string; version: string; license: string };
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  const text =
    file === undefined ? `Licensed under ${license}.` : await readFile(path.join(folder, file), 'utf8');
  return `${'-'.repeat(72)}\n${name} ${version}\n\n${text.trim()}`;
}

const commented = (text: string): string =>
  `${text
    .split('\n')
    .map((line) => `// ${line}`.trimEnd())
    .join('\n')}\n`;
