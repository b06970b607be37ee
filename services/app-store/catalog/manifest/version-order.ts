/**
 * A text whose byte order is the order of versions: that of semver where the version is semver, and a sensible one for what occurs
 * besides (`1.0`, `v2`, `2024.1.0.3`). `1.0` and `1.0.0` are equal. The database sorts by it.
 */
export function versionOrder(version: string): string {
  const match = /^v?(\d+(?:\.\d+)*)[-.]?(.*)$/i.exec(version);
  if (match === null) return `!${version}`;
  const [, release = '', rest = ''] = match;
  const numbers = release.split('.').map(numberOrder);
  while (numbers.length > 1 && numbers.at(-1) === numberOrder('0')) numbers.pop();
  const identifiers = rest
    .split('.')
    .map((part) => (/^\d+$/.test(part) ? `0${numberOrder(part)}` : `1${part}`));
  // `!` sorts before every character of a version, `~` after: 1.0 < 1.0.1, 1.0-rc < 1.0, 1.0-rc < 1.0-rc.1.
  return `${numbers.join('')}!${rest === '' ? '~' : identifiers.map((part) => `${part}!`).join('')}`;
}

/** Numbers of more digits are larger, so the count of digits comes first. */
function numberOrder(digits: string): string {
  const bare = digits.replace(/^0+(?=\d)/, '');
  return `${String(bare.length).padStart(2, '0')}${bare}`;
}
