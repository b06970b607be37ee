import { BlockList, isIP } from 'node:net';

/** Networks that nobody outside can reach, or whose addresses say nothing to who reads them later. */
const privateNetworks = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  // RFC 6598: behind a carrier's translation.
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  privateNetworks.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
] as const)
  privateNetworks.addSubnet(network, prefix, 'ipv6');

const mappedAddress = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** What the trail keeps of an address: `private` instead of one that is. Undefined for what is no address. */
export function redacted(address: string): string | undefined {
  if (address === '' || address === 'private') return address;
  const plain = mappedAddress.exec(address)?.[1] ?? address;
  const family = isIP(plain);
  if (family === 0 || plain.includes('%')) return undefined;
  if (family === 4) return privateNetworks.check(plain, 'ipv4') ? 'private' : plain;
  if (privateNetworks.check(plain, 'ipv6')) return 'private';
  // In the one form (RFC 5952), so that an exact search finds it.
  const written = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const inner = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(written);
  if (inner === null) return written;
  const [high, low] = [Number.parseInt(inner[1] ?? '', 16), Number.parseInt(inner[2] ?? '', 16)];
  return redacted([high >> 8, high & 255, low >> 8, low & 255].join('.'));
}
