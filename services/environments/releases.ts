import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { normaliseName } from './requirements.ts';

export interface Pin {
  readonly name: string;
  readonly version: string;
}

/** When the versions of pins were published, told by the package index (PEP 691 and 700). */
export interface Releases {
  /** YYYY-MM-DD of the newest of them; undefined when the index does not say, or cannot be asked. */
  newestOf(pins: readonly Pin[], signal: AbortSignal): Promise<string | undefined>;
}

const publicIndex = 'https://pypi.org/simple';
const jsonType = 'application/vnd.pypi.simple.v1+json';
/** A package with thousands of files has a few megabytes of them. */
const maximumBytes = 32 * 1024 * 1024;
const deadlineMs = 20_000;
const mostPins = 200;
const atOnce = 6;
const mostRedirects = 3;

/** `name==1.2.3` and nothing else said of the version; extras and markers do not matter. */
export function pinsOf(lines: readonly string[]): Pin[] {
  const pins = lines.flatMap((line) => {
    const match =
      /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*\(?\s*={2,3}\s*([\w.!+-]+)\s*\)?\s*(?:;.*)?$/.exec(line);
    return match?.[1] === undefined || match[2] === undefined
      ? []
      : [{ name: normaliseName(match[1]), version: match[2] }];
  });
  return pins.slice(0, mostPins);
}

export function createReleases(settings: {
  readonly index?: string | undefined;
  readonly httpProxy?: string | undefined;
  /** PEM texts of all that are trusted; Node's own list without it. */
  readonly authorities?: readonly string[] | undefined;
}): Releases {
  const ask = createIndex(settings);

  async function dateOf({ name, version }: Pin, signal: AbortSignal): Promise<string | undefined> {
    const files = await ask(name, signal);
    const wanted = comparable(version);
    const times = files.filter((file) => file.version === wanted).map((file) => file.uploadedAt);
    // The first file of a release: wheels are added to old ones years later.
    return times.toSorted()[0];
  }

  return {
    newestOf: async (pins, signal) => {
      const dates: string[] = [];
      const waiting = [...pins];
      const work = async () => {
        for (let pin = waiting.shift(); pin !== undefined; pin = waiting.shift()) {
          // One that the index does not know, or does not answer for, says nothing; the others still do.
          const date = await dateOf(pin, signal).catch(() => undefined);
          signal.throwIfAborted();
          if (date !== undefined) dates.push(date);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, work));
      return dates.toSorted().at(-1)?.slice(0, 10);
    },
  };
}

interface ReleasedFile {
  readonly version: string;
  /** ISO 8601. */
  readonly uploadedAt: string;
}

function createIndex(settings: Parameters<typeof createReleases>[0]) {
  const { httpProxy } = settings;
  const base = (settings.index ?? publicIndex).replace(/\/+$/, '');
  const proxy =
    httpProxy === undefined
      ? {}
      : {
          proxyEnv: { HTTP_PROXY: httpProxy, HTTPS_PROXY: httpProxy, NO_PROXY: 'localhost,127.0.0.1,::1' },
        };
  const ca = settings.authorities === undefined ? {} : { ca: [...settings.authorities] };
  const agents = { http: new HttpAgent(proxy), https: new HttpsAgent({ ...proxy, ...ca }) };

  const get = (url: URL, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const isPlain = url.protocol === 'http:';
      const call = (isPlain ? requestHttp : requestHttps)(url, {
        agent: isPlain ? agents.http : agents.https,
        headers: { accept: jsonType, ...credentialsOf(url) },
        signal,
      });
      call.on('response', resolve).on('error', reject).end();
    });

  return async (name: string, signal: AbortSignal): Promise<ReleasedFile[]> => {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    let url = new URL(`${base}/${name}/`);
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const response = await get(url, inTime);
      const { location } = response.headers;
      if (location === undefined || Math.floor((response.statusCode ?? 0) / 100) !== 3)
        return filesOf(response);
      response.destroy();
      url = nextOf(url, location);
    }
    throw new Error(`${name} is redirected in circles.`);
  };
}

/** Credentials are for the host that they were given for. */
function nextOf(url: URL, location: string): URL {
  const next = new URL(location, url);
  if (!/^https?:$/.test(next.protocol) || (url.protocol === 'https:' && next.protocol === 'http:'))
    throw new Error('The package index redirects to where it should not.');
  next.username = next.host === url.host ? url.username : '';
  next.password = next.host === url.host ? url.password : '';
  return next;
}

function credentialsOf(url: URL): Record<string, string> {
  if (url.username === '') return {};
  const both = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(both).toString('base64')}` };
}

async function filesOf(response: IncomingMessage): Promise<ReleasedFile[]> {
  if (response.statusCode !== 200 || !(response.headers['content-type'] ?? '').startsWith(jsonType)) {
    // An index that knows HTML only does not say when.
    response.destroy();
    return [];
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maximumBytes) throw new Error('The package index says too much.');
    chunks.push(chunk);
  }
  const page: unknown = JSON.parse(Buffer.concat(chunks).toString());
  const files = isRecord(page) && Array.isArray(page.files) ? page.files : [];
  return files.flatMap((file: unknown) => {
    if (!isRecord(file)) return [];
    const version = versionOfFile(String(file.filename));
    const uploadedAt = file['upload-time'];
    return version === undefined || typeof uploadedAt !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(uploadedAt)
      ? []
      : [{ version: comparable(version), uploadedAt }];
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `name-1.0-py3-none-any.whl`, `name-1.0.tar.gz`. */
function versionOfFile(name: string): string | undefined {
  if (name.endsWith('.whl')) return name.split('-')[1];
  return /-([^-]+)\.(?:tar\.gz|zip|tar\.bz2)$/.exec(name)?.[1];
}

/** `1.0` and `1.0.0` are one version (PEP 440). */
const comparable = (version: string): string =>
  version
    .toLowerCase()
    .replace(/^v/, '')
    .replace(/\+.*$/, '')
    .replace(/^((?:\d+!)?\d+(?:\.\d+)*?)(?:\.0)+(?=$|[^.\d])/, '$1');
