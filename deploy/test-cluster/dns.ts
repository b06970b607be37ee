import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';

/** The address of a Service, by its name and namespace; undefined when there is none, or none of its own. */
export type FindService = (name: string, namespace: string) => Promise<string | undefined>;

/**
 * The names of a cluster, as its pods ask for them: Services, and what a file of lines `address name` says (`*.example.org` too). Queries for one IPv4
 * address by UDP is what resolvers of pods send; whatever else there is to DNS is not here. It stands for CoreDNS, which would be
 * seven minutes of building.
 */
export async function startDns(options: {
  readonly address: string;
  readonly findService: FindService;
  readonly hostsFile: string;
}): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    void answerTo(query, (name) => resolve(name, options)).then((answer) => {
      if (answer !== undefined) socket.send(answer, from.port, from.address);
    });
  });
  await new Promise<void>((listening, failed) => {
    socket.once('error', failed);
    socket.bind(53, options.address, () => {
      socket.off('error', failed).on('error', () => {});
      listening();
    });
  });
}

async function resolve(
  name: string,
  { findService, hostsFile }: { findService: FindService; hostsFile: string },
): Promise<string | undefined> {
  const [, service, namespace] = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local$/.exec(name) ?? [];
  if (service !== undefined && namespace !== undefined) return findService(service, namespace);
  for (const line of (await readFile(hostsFile, 'utf8').catch(() => '')).split('\n')) {
    const [address = '', pattern = ''] = line.trim().split(/\s+/);
    const matches = pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
    if (matches && isIPv4(address)) return address;
  }
  return undefined;
}

const types = { a: 1, any: 255 } as const;
const noError = 0;
const noSuchName = 3;

/** RFC 1035 §4: header, the question as it came, and one answer that points at its name. Exported for its test. */
export async function answerTo(
  query: Buffer,
  resolveName: (name: string) => Promise<string | undefined>,
): Promise<Buffer | undefined> {
  if (query.length < 17 || query.readUInt16BE(4) !== 1 || (query.readUInt16BE(2) & 0x8000) !== 0)
    return undefined;
  const labels: string[] = [];
  let offset = 12;
  for (;;) {
    const length = query[offset] ?? 0;
    if (length > 63 || offset + 1 + length > query.length) return undefined;
    offset += 1;
    if (length === 0) break;
    labels.push(query.toString('latin1', offset, offset + length));
    offset += length;
  }
  if (offset + 4 > query.length) return undefined;
  const type = query.readUInt16BE(offset);
  const question = query.subarray(12, offset + 4);
  const address = await resolveName(labels.join('.').toLowerCase()).catch(() => undefined);
  const answers = address !== undefined && (type === types.a || type === types.any) ? 1 : 0;
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  // An authoritative answer, with recursion as it was wanted.
  header.writeUInt16BE(
    0x8480 | (query.readUInt16BE(2) & 0x0100) | (address === undefined ? noSuchName : noError),
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers, 6);
  if (answers === 0 || address === undefined) return Buffer.concat([header, question]);
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(types.a, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(5, 6);
  record.writeUInt16BE(4, 10);
  for (const [index, part] of address.split('.').entries()) record[12 + index] = Number(part);
  return Buffer.concat([header, question, record]);
}
