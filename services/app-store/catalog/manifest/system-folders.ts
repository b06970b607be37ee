/** What a bundle may neither mount over nor write into, with all that is below. */
const withAllBelow = [
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/opt/haic',
  '/proc',
  '/resources',
  '/root',
  '/run',
  '/sbin',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
];
/** Their sub-folders are free. */
const themselves = ['/', '/home', '/mnt', '/media', '/opt', '/srv'];

/** The system folder that the absolute, normalised path is or lies in; undefined when it is free to use. */
export function systemFolderOf(path: string): string | undefined {
  const bare = path === '' ? '/' : path;
  return (
    themselves.find((folder) => bare === folder) ??
    withAllBelow.find((folder) => `${bare}/`.startsWith(`${folder}/`))
  );
}
