import type { FastifyRequest } from 'fastify';

/** The address that the router saw: the last one it appended; without a router, the peer of the connection. */
export function addressOf(request: FastifyRequest): string {
  const last = forwardedAddressOf(request);
  return last === '' ? (request.socket.remoteAddress ?? 'local') : last;
}

/** The same as the router alone says it; '' without one. */
export function forwardedAddressOf(request: FastifyRequest): string {
  const forwarded = request.headers['x-forwarded-for'];
  const text = Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '');
  return text.split(',').at(-1)?.trim() ?? '';
}

/** An IPv6 customer has at least a /64, so its single addresses are no limit. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':');
}
