import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { ensureBinaries } from '@haic/test-cluster/binaries.ts';
import { ensureGo } from '@haic/test-cluster/go.ts';
import { run } from '@haic/test-cluster/run.ts';
import type { Engine, EngineOptions } from './engine.ts';

const recipe = (name: string): string => fileURLToPath(new URL(`./bases/${name}`, import.meta.url));
const dockerfile = fileURLToPath(new URL('../platform/Dockerfile', import.meta.url));

export interface BaseOptions extends EngineOptions {
  /** Helm is compiled by a Go in the build, which takes minutes, or taken from the test cluster, which has it of the same go.mod. */
  readonly helm: 'compiled' | 'built before';
}

/**
 * What the Dockerfiles begin with, by the names that they say: no registry is reached from here. A minimal Debian of this machine's packages, with
 * the Node that runs this, and with the Go that builds for tests. How package indexes are reached is taken over from this machine into the images that
 * are built with; the one that becomes part of Haic's images stays as it is.
 */
export async function ensureBases(engine: Engine, options: BaseOptions): Promise<void> {
  const { NODE, GO, BASE } = await namesInDockerfile();
  const debian = await ensureDebian(engine, BASE, options);
  await engine.docker('tag', debian, 'haic-tests/debian');
  const { signal } = options;
  const node = await ensureBuilt(engine, 'node', [debian, process.version], options, async (context) => {
    await cp(process.execPath, path.join(context, 'node'));
    await cp(path.join(nodeModules(), 'npm'), path.join(context, 'npm'), { recursive: true });
    return variables({
      npm_config_registry: await npmRegistry(signal),
      PIP_INDEX_URL: await pypiIndex(signal),
    });
  });
  const go = await (options.helm === 'compiled' ? ensureGolang : ensureBuiltHelm)(engine, debian, options);
  for (const [made, name] of [
    [debian, BASE],
    [node, NODE],
    [go, GO],
  ] as const)
    await engine.docker('tag', made, name);
}

async function namesInDockerfile(): Promise<{ NODE: string; GO: string; BASE: string }> {
  const text = await readFile(dockerfile, 'utf8');
  const named = (key: string): string => {
    const name = new RegExp(`^ARG ${key}=(\\S+)$`, 'm').exec(text)?.[1];
    if (name === undefined) throw new Error(`${dockerfile} has no line "ARG ${key}=…".`);
    return name;
  };
  return { NODE: named('NODE'), GO: named('GO'), BASE: named('BASE') };
}

/** As the image of Docker Hub is made: the smallest Debian, without manuals and translations, that keeps nothing of what it fetches. */
const debootstrapping = [
  ...['--mode=root', '--variant=minbase', '--include=usr-is-merged', '--format=tar', '--quiet'],
  ...['man', 'doc', 'info', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
  '--dpkgopt=path-include=/usr/share/doc/*/copyright',
  '--aptopt=Acquire::Languages "none"',
];

async function ensureDebian(engine: Engine, name: string, options: EngineOptions): Promise<string> {
  const suite = /^debian:(\w+)-slim$/.exec(name)?.[1];
  if (suite === undefined) throw new Error(`${name} is not an image that tests can make: debian:…-slim.`);
  const sources = await debianSources(suite, options.signal);
  const image = `haic-tests/debian:${keyOf([suite, ...debootstrapping, ...sources])}`;
  if (await isMade(engine, image)) return image;
  options.tell(`making ${name} of Debian packages`);
  const folder = await mkdtemp(path.join(tmpdir(), 'haic-debian-'));
  try {
    const words = [...debootstrapping, suite, path.join(folder, 'debian.tar'), ...sources];
    await engine.shell('mmdebstrap "$@"', ...words);
    const change = ['--change', 'CMD ["bash"]'];
    await engine.docker('import', ...change, path.join(folder, 'debian.tar'), image);
    return image;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where this machine has its Debian packages from, as lines of a sources.list. */
async function debianSources(suite: string, signal: AbortSignal): Promise<readonly string[]> {
  const targets = ['Created-By: Packages', 'Origin: Debian'];
  const ask = async () => {
    const words = ['indextargets', '--format', 'deb $(SITE) $(RELEASE) $(COMPONENT)', ...targets];
    const lines = new Set((await run('apt-get', words, { signal })).trim().split('\n'));
    // Of the release, its updates and its security updates.
    return [...lines].filter((line) => line.split(/[ -]/).includes(suite)).sort();
  };
  const known = await ask();
  if (known.length > 0) return known;
  // The lists of packages may not be there yet.
  await run('apt-get', ['update', '-qq'], { signal });
  const found = await ask();
  if (found.length > 0) return found;
  throw new Error(
    `debian:${suite}-slim is made of this machine's packages, and those are not of Debian ${suite}.`,
  );
}

/** The Go of this machine, with how it reaches modules. */
async function ensureGolang(engine: Engine, debian: string, options: EngineOptions): Promise<string> {
  const { signal } = options;
  const go = await ensureGo(options);
  const ask = async (name: string) => (await run(go, ['env', name], { signal })).trim();
  const version = await ask('GOVERSION');
  return ensureBuilt(engine, 'golang', [debian, version], options, async (context) => {
    await cp(await ask('GOROOT'), path.join(context, 'go'), { recursive: true, dereference: true });
    return variables({ GOPROXY: await ask('GOPROXY'), GOSUMDB: await ask('GOSUMDB') });
  });
}

async function ensureBuiltHelm(engine: Engine, debian: string, options: EngineOptions): Promise<string> {
  const binaries = await ensureBinaries(options);
  return ensureBuilt(engine, 'built-helm', [debian, path.basename(binaries)], options, async (context) => {
    await cp(path.join(binaries, 'helm'), path.join(context, 'helm'), { dereference: true });
    await cp(recipe('built-helm.sh'), path.join(context, 'go'));
    return '';
  });
}

/** Built by its recipe the first time, with what `fill` puts into the context; `fill` gives lines that the recipe ends with. */
async function ensureBuilt(
  engine: Engine,
  name: string,
  from: readonly string[],
  { tell }: EngineOptions,
  fill: (context: string) => Promise<string>,
): Promise<string> {
  const text = await readFile(recipe(`${name}.Dockerfile`), 'utf8');
  const authorities = await ownAuthorities();
  const image = `haic-tests/${name}:${keyOf([text, ...from, ...authorities.values(), ...reach()])}`;
  if (await isMade(engine, image)) return image;
  tell(`making the image that stands for ${name}`);
  const context = await mkdtemp(path.join(tmpdir(), 'haic-base-'));
  try {
    await mkdir(path.join(context, 'authorities'));
    for (const [file, certificate] of authorities)
      await writeFile(path.join(context, 'authorities', file), certificate);
    await writeFile(path.join(context, 'Dockerfile'), `${text}${await fill(context)}`);
    await engine.docker(
      'build',
      '--quiet',
      '--network',
      'host',
      ...proxyArguments(),
      '--tag',
      image,
      context,
    );
    return image;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Of proxies, what Docker hands to each step and keeps nothing of. */
export const proxyArguments = (): readonly string[] =>
  ['http_proxy', 'https_proxy', 'no_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .filter((name) => process.env[name] !== undefined)
    .flatMap((name) => ['--build-arg', name]);

/** Certificates that this machine trusts beside those that come with Debian, by file name. */
async function ownAuthorities(): Promise<ReadonlyMap<string, string>> {
  const folder = '/usr/local/share/ca-certificates';
  const files = (await readdir(folder).catch(() => []))
    .filter((name) => name.endsWith('.crt'))
    .map((name) => path.join(folder, name));
  const own = process.env.HAIC_CA_FILE;
  const all = [...files, ...(own === undefined || own === '' ? [] : [own])].sort();
  const texts = all.map(
    async (file) => [`${path.basename(file, '.crt')}.crt`, await readFile(file, 'utf8')] as const,
  );
  return new Map(await Promise.all(texts));
}

/** Settings that say where packages are fetched from; what programs have in files of their own is asked of them. */
const reach = (): readonly string[] =>
  ['HAIC_NPM_REGISTRY', 'HAIC_PYPI_INDEX', 'GOPROXY', 'GOSUMDB'].map((name) => process.env[name] ?? '');

async function npmRegistry(signal: AbortSignal): Promise<string> {
  const npm = path.join(nodeModules(), 'npm/bin/npm-cli.js');
  return (await run(process.execPath, [npm, 'config', 'get', 'registry'], { signal })).trim();
}

/** Of this machine's pip, where it is told of one; PyPI itself needs no saying. */
async function pypiIndex(signal: AbortSignal): Promise<string> {
  const { HAIC_PYPI_INDEX: index = '' } = process.env;
  if (index !== '') return index;
  const words = ['-I', '-m', 'pip', 'config', 'get', 'global.index-url'];
  return (await run('/usr/bin/python3', words, { signal }).catch(() => '')).trim();
}

/** Where Haic's own Node and npm are installed, side by side. */
const nodeModules = (): string => path.join(process.execPath, '../../..');

const variables = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `ENV ${name}=${JSON.stringify(value)}\n`)
    .join('');

const isMade = (engine: Engine, image: string): Promise<boolean> =>
  engine.docker('image', 'inspect', '--format', '{{.Id}}', image).then(
    () => true,
    () => false,
  );

const keyOf = (parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
