import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomically } from './durable-file.ts';

export interface SandboxMount {
  /** A directory or file of the machine, or so many bytes of memory. */
  readonly hostPath: string | { readonly memoryBytes: number };
  readonly path: string;
  readonly readOnly: boolean;
  readonly optional: boolean;
}

export interface Sandbox {
  readonly uid: number;
  readonly hostName: string;
  /** Directory that only the runtime writes, for the sandbox's own /etc. */
  readonly directory: string;
  readonly mounts: readonly SandboxMount[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

/** What of the machine's /etc a program needs to find names, certificates, libraries, fonts and packages; no passwords, no keys. */
const sharedConfiguration = [
  ...[
    '/etc/resolv.conf',
    '/etc/nsswitch.conf',
    '/etc/host.conf',
    '/etc/gai.conf',
    '/etc/services',
    '/etc/protocols',
  ],
  ...['/etc/ssl', '/etc/ca-certificates', '/etc/ca-certificates.conf', '/etc/pki', '/etc/crypto-policies'],
  ...['/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d', '/etc/alternatives'],
  ...[
    '/etc/localtime',
    '/etc/timezone',
    '/etc/mime.types',
    '/etc/os-release',
    '/etc/debian_version',
    '/etc/fonts',
  ],
  ...[
    '/etc/python3',
    '/etc/python3.9',
    '/etc/python3.10',
    '/etc/python3.11',
    '/etc/python3.12',
    '/etc/python3.13',
    '/etc/python3.14',
  ],
  // `apt-get download` of an app's packages.txt.
  ...['/etc/apt', '/etc/dpkg', '/var/lib/apt/lists', '/var/lib/dpkg'],
];
const systemDirectories = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Drops everything first and builds the sandbox with the workload's own rights: started by root, bwrap would keep uid 0 inside. */
export const privilegesDropped = (uid: number): string[] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${uid}`,
  ...['--clear-groups', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'],
];

/** As in a container of which nothing else was asked. */
const usualSharedMemory = 64 * 1024 ** 2;
const memory = (directory: string, bytes: number): string[] => [
  ...['--perms', '1777', '--size', String(bytes), '--tmpfs', directory],
];

/** Part of every sandbox, and enough to try whether there can be one. */
export async function baseArguments(): Promise<string[]> {
  const args = [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--die-with-parent', '--new-session', '--ro-bind', '/usr', '/usr'],
  ];
  for (const directory of systemDirectories) {
    const facts = await lstat(directory).catch(() => undefined);
    if (facts?.isSymbolicLink()) args.push('--symlink', `usr${directory}`, directory);
    else if (facts !== undefined) args.push('--ro-bind', directory, directory);
  }
  args.push('--proc', '/proc', '--dev', '/dev');
  for (const directory of ['/tmp', '/var/tmp']) args.push('--perms', '1777', '--tmpfs', directory);
  args.push(...memory('/dev/shm', usualSharedMemory));
  return args;
}

/** bwrap's arguments, as its `--args` reads them: they hold secrets, which have no place on a command line. */
export async function sandboxArguments(sandbox: Sandbox): Promise<string> {
  const args = await baseArguments();
  args.push('--hostname', sandbox.hostName);
  for (const file of sharedConfiguration) args.push('--ro-bind-try', file, file);
  for (const [name, content] of Object.entries(ownConfiguration(sandbox))) {
    const file = path.join(sandbox.directory, name);
    await writeAtomically(file, content, { mode: 0o644, durable: false });
    args.push('--ro-bind', file, `/etc/${name}`);
  }
  // Parents first, so that a mount inside another one is not hidden by it.
  for (const mount of sandbox.mounts.toSorted((a, b) => a.path.length - b.path.length)) {
    if (typeof mount.hostPath !== 'string') {
      args.push(...memory(mount.path, mount.hostPath.memoryBytes));
      continue;
    }
    args.push(
      `--${mount.readOnly ? 'ro-' : ''}bind${mount.optional ? '-try' : ''}`,
      mount.hostPath,
      mount.path,
    );
  }
  args.push('--remount-ro', '/', '--chdir', sandbox.workingDirectory, '--clearenv');
  for (const [name, value] of Object.entries(sandbox.env)) args.push('--setenv', name, value);
  args.push('--json-status-fd', '4');
  return args.map((arg) => `${arg}\0`).join('');
}

const ownConfiguration = ({ uid, hostName }: Sandbox) => ({
  passwd: `app:x:${uid}:${uid}:app:/tmp:/bin/sh\n`,
  group: `app:x:${uid}:\n`,
  hosts: `127.0.0.1 localhost ${hostName}\n::1 localhost ip6-localhost ip6-loopback\n`,
});

/** The start of every environment; nothing of the platform's own gets in. */
export const baseEnvironment = (home: string): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: home,
  USER: 'app',
  LOGNAME: 'app',
  LANG: 'C.UTF-8',
});
