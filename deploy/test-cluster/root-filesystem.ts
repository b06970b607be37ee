import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { downloadPackages } from './debian.ts';
import { ensureKept } from './kept.ts';
import { run } from './run.ts';

/**
 * Debian packages of this system unpacked into a folder that can be an image's `/`: what a base image and `apt-get install` would give, as
 * far as it needs no script to be run. Packages are named with what they depend on. Kept by the list and the system.
 */
export async function ensureRootFilesystem(options: {
  readonly packages: readonly string[];
  readonly cacheDirectory: string;
  readonly signal: AbortSignal;
}): Promise<string> {
  const { signal } = options;
  const packages = [...new Set(options.packages)].sort();
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const key = createHash('sha256')
    .update(`${system}\0${packages.join()}\0${version}`)
    .digest('hex')
    .slice(0, 16);
  const root = path.join(options.cacheDirectory, 'test-cluster', `root-${key}`);
  return ensureKept(root, async (staging) => {
    const downloads = await mkdtemp(path.join(tmpdir(), 'haic-debs-'));
    try {
      await downloadPackages(packages, downloads, signal);
      await mergeUsr(staging);
      for (const name of await readdir(downloads)) await unpack(path.join(downloads, name), staging, signal);
      await completeFiles(staging);
    } finally {
      await rm(downloads, { recursive: true, force: true });
    }
  });
}

/** Of what is done with the packages here. */
const version = 1;

async function mergeUsr(root: string): Promise<void> {
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(path.join(root, 'usr', folder), { recursive: true });
    await symlink(`usr/${folder}`, path.join(root, folder));
  }
}

const leftOut = ['./usr/share/doc', './usr/share/man', './usr/share/locale', './usr/share/lintian'];

async function unpack(file: string, root: string, signal: AbortSignal): Promise<void> {
  const unpacking =
    'file=$1 root=$2; shift 2; dpkg-deb --fsys-tarfile "$file" | tar -x -C "$root" --keep-directory-symlink "$@"';
  const exclude = leftOut.map((folder) => `--exclude=${folder}`);
  await run('bash', ['-o', 'pipefail', '-c', unpacking, 'unpack', file, root, ...exclude], { signal });
}

/** What scripts of packages would have made. */
async function completeFiles(root: string): Promise<void> {
  const inRoot = (name: string) => path.join(root, name);
  for (const folder of ['etc/ssl/certs', 'tmp', 'proc', 'sys', 'dev', 'var/tmp'])
    await mkdir(inRoot(folder), { recursive: true });
  for (const folder of ['tmp', 'var/tmp']) await chmod(inRoot(folder), 0o1777);
  const passwd = 'root:x:0:0::/root:/usr/sbin/nologin\napp:x:10001:10001::/tmp:/usr/sbin/nologin\n';
  await writeFile(inRoot('etc/passwd'), passwd);
  await writeFile(inRoot('etc/group'), 'root:x:0:\napp:x:10001:\n');
  await writeFile(inRoot('etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
  const authorities = inRoot('usr/share/ca-certificates/mozilla');
  const names = (await readdir(authorities).catch(() => [])).sort();
  const texts = await Promise.all(names.map((name) => readFile(path.join(authorities, name), 'utf8')));
  if (texts.length > 0) await writeFile(inRoot('etc/ssl/certs/ca-certificates.crt'), texts.join(''));
}
