import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureKept } from './kept.ts';
import { run } from './run.ts';

const nodePackages = [
  ...['containerd', 'runc', 'containernetworking-plugins', 'iptables', 'nftables', 'conntrack'],
  ...['libnftnl11', 'libnftables1', 'libnfnetlink0', 'libnetfilter-conntrack3'],
  ...['libip4tc2', 'libip6tc2', 'libxtables12', 'ipset', 'libipset13'],
];
/** Names that kube-proxy, the CNI plugins and kube-router call one program by. */
const iptables = [
  'iptables',
  'iptables-save',
  'iptables-restore',
  'ip6tables',
  'ip6tables-save',
  'ip6tables-restore',
];

interface UnpackOptions {
  readonly cacheDirectory: string;
  readonly tell: (detail: string) => void;
  readonly signal: AbortSignal;
}

/** containerd, runc, CNI plugins, nftables, iptables and ipset of this Debian. Returns the folder that stands for `/` to them. */
export const ensureNodePackages = (options: UnpackOptions): Promise<string> =>
  ensureUnpacked(nodePackages, options, async (root) => {
    for (const name of iptables) {
      const link = path.join(root, 'usr/sbin', name);
      await rm(link, { force: true });
      await symlink('xtables-nft-multi', link);
    }
  });

/** Debian packages, unpacked into the cache: nothing is installed and no daemon started. Returns the folder that stands for `/` to them. */
export async function ensureUnpacked(
  packages: readonly string[],
  options: UnpackOptions,
  finish: (root: string) => Promise<void> = async () => {},
): Promise<string> {
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const key = createHash('sha256').update(`${system}\0${packages.join()}`).digest('hex').slice(0, 16);
  const root = path.join(options.cacheDirectory, 'test-cluster', `debian-${key}`);
  return ensureKept(root, async (staging) => {
    options.tell(`unpacking ${packages.slice(0, 3).join(', ')} … from Debian packages`);
    const downloads = await mkdtemp(path.join(tmpdir(), 'haic-debs-'));
    try {
      await downloadPackages(packages, downloads, options.signal);
      for (const file of await readdir(downloads))
        await run('dpkg', ['-x', path.join(downloads, file), staging], { signal: options.signal });
      await finish(staging);
    } finally {
      await rm(downloads, { recursive: true, force: true });
    }
  });
}

/** Into the folder, which is there; installs nothing. */
export async function downloadPackages(
  packages: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const get = () => run('apt-get', ['download', '-qq', ...packages], { cwd: folder, signal });
  try {
    await get();
  } catch {
    signal.throwIfAborted();
    // The lists of packages are old, or there are none yet.
    await run('apt-get', ['update', '-qq'], { signal });
    await get();
  }
}
