import { lookup as resolve } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { HaicError } from '@haic/kit/errors.ts';
import { Agent, type RequestInit as UndiciRequestInit, fetch as undiciFetch } from 'undici';

/**
 * How Haic dials providers (security 18). An administrator named some hosts, which may be inside the organisation. What a provider says of
 * itself may lead to public addresses and to those hosts only; and nothing leads to where clouds keep a machine's own credentials.
 */
export interface Outbound {
  fetch(url: string, init: RequestInit, namedHosts: ReadonlySet<string>): Promise<Response>;
  close(): Promise<void>;
}

const deadlineMs = 10_000;
const largestAnswer = 1024 * 1024;

/** Link-local, where metadata services are, and those of clouds that have them elsewhere. */
const never = blockList(
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['fd00:ec2::254', 128, 'ipv6'],
  ['100.100.100.200', 32, 'ipv4'],
  ['192.0.0.192', 32, 'ipv4'],
  ['224.0.0.0', 4, 'ipv4'],
  ['ff00::', 8, 'ipv6'],
  ['0.0.0.0', 8, 'ipv4'],
  ['::', 128, 'ipv6'],
);

/** Loopback, private and shared networks. */
const internal = blockList(
  ['127.0.0.0', 8, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['10.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['240.0.0.0', 4, 'ipv4'],
  ['fc00::', 7, 'ipv6'],
  // What stands for an IPv4 address in IPv6.
  ['64:ff9b::', 96, 'ipv6'],
  ['2002::', 16, 'ipv6'],
);

function blockList(...subnets: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) list.addSubnet(...subnet);
  return list;
}

/** Judged by the address that is dialled, after its name was resolved: no other name, spelling or later answer of DNS gets around it. */
export function mayDial(address: string, isNamed: boolean): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  // `::ffff:a9fe:a9fe` is one too, and BlockList knows it as IPv4.
  if (never.check(plain, family)) return false;
  return isNamed || !internal.check(plain, family);
}

export function createOutbound(): Outbound {
  const agents = { named: agentFor(true), others: agentFor(false) };
  return {
    fetch: async (url, init, namedHosts) => {
      const { host, hostname, protocol } = new URL(url);
      const isNamed = namedHosts.has(host);
      if (protocol !== 'https:' && !(protocol === 'http:' && isNamed)) throw refusedAddress(url);
      const literal = hostname.replace(/^\[|\]$/g, '');
      if (isIP(literal) !== 0 && !mayDial(literal, isNamed)) throw refusedAddress(url);
      const signal = AbortSignal.any([
        AbortSignal.timeout(deadlineMs),
        ...(init.signal === null || init.signal === undefined ? [] : [init.signal]),
      ]);
      const answer = await undiciFetch(url, {
        ...(init as UndiciRequestInit),
        ...{ signal, redirect: 'manual', dispatcher: isNamed ? agents.named : agents.others },
      });
      return new Response(await bodyOf(answer), {
        // A redirect is an answer that no caller expects, and so a refusal.
        status: answer.status,
        headers: [...answer.headers],
      });
    },
    close: async () => {
      await Promise.all([agents.named.close(), agents.others.close()]);
    },
  };
}

type FetchAnswer = Awaited<ReturnType<typeof undiciFetch>>;

async function bodyOf(answer: FetchAnswer): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > largestAnswer)
      throw new Error(`${new URL(answer.url).host} answers with more than ${largestAnswer} bytes.`);
    chunks.push(chunk);
  }
  // By the standard, these have no body at all.
  return [101, 204, 205, 304].includes(answer.status) ? null : Uint8Array.from(Buffer.concat(chunks));
}

function agentFor(isNamed: boolean): Agent {
  const lookup: LookupFunction = (hostname, options, done) => {
    resolve(hostname, {
      all: true,
      family: options.family === 'IPv6' ? 6 : options.family === 'IPv4' ? 4 : (options.family ?? 0),
    })
      .then((found) => {
        const allowed = found.filter(({ address }) => mayDial(address, isNamed));
        const [first] = allowed;
        if (first === undefined) throw refusedAddress(`https://${hostname}`);
        if (options.all === true) done(null, allowed);
        else done(null, first.address, first.family);
      })
      .catch((error: NodeJS.ErrnoException) => done(error, '', 0));
  };
  return new Agent({
    connect: { lookup, timeout: deadlineMs },
    headersTimeout: deadlineMs,
    bodyTimeout: deadlineMs,
    maxHeaderSize: 32 * 1024,
  });
}

const refusedAddress = (url: string): HaicError =>
  new HaicError(
    'provider_address_refused',
    502,
    `The provider leads to ${new URL(url).host}, where Haic sends nothing: an administrator has to name that address in the OAuth client.`,
  );
