import { normalize } from 'node:path';

/** Where blobs are kept, as `HAIC_BLOB_STORE` says it. A prefix is '' or has a slash at its end. */
export type BlobStoreSetting =
  | { readonly kind: 'filesystem'; readonly directory: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly prefix: string;
      readonly region: string | undefined;
      readonly endpoint: string | undefined;
      readonly pathStyle: boolean | undefined;
    }
  | {
      readonly kind: 'azure';
      readonly account: string;
      readonly container: string;
      readonly prefix: string;
      readonly endpoint: string | undefined;
    }
  | {
      readonly kind: 'gcs';
      readonly bucket: string;
      readonly prefix: string;
      readonly endpoint: string | undefined;
    };

/** Names of ours, an upload's and a hash leave so much of the 1024 bytes that stores take. */
const longestPrefix = 100;

/** Throws an Error that says all that is wrong with the text. */
export function parseBlobStore(text: string): BlobStoreSetting {
  if (text.startsWith('/')) return { kind: 'filesystem', directory: normalize(text) };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 's3:') return parseS3(url);
  if (url?.protocol === 'azure:') return parseAzure(url);
  if (url?.protocol === 'gs:') return parseGcs(url);
  throw new Error(
    'is neither the absolute path of a folder, nor s3://bucket/prefix?region=…&endpoint=…, nor azure://account/container/prefix, nor gs://bucket/prefix.',
  );
}

function parseS3(url: URL): BlobStoreSetting {
  const problems: string[] = [];
  const options = optionsOf(url, ['region', 'endpoint', 'path-style'], problems);
  const pathStyle = options.get('path-style');
  if (!/^[a-z0-9][a-z0-9._-]{1,62}$/.test(url.hostname)) problems.push(`names no bucket ("${url.hostname}")`);
  if (pathStyle !== undefined && !['true', 'false'].includes(pathStyle))
    problems.push('has a path-style that is neither true nor false');
  return checked(problems, {
    kind: 's3',
    bucket: url.hostname,
    prefix: prefixOf(url.pathname, problems),
    region: options.get('region'),
    endpoint: options.get('endpoint'),
    pathStyle: pathStyle === undefined ? undefined : pathStyle === 'true',
  });
}

function parseAzure(url: URL): BlobStoreSetting {
  const problems: string[] = [];
  const options = optionsOf(url, ['endpoint'], problems);
  const [, container = '', ...rest] = url.pathname.split('/');
  if (!/^[a-z0-9]{3,24}$/.test(url.hostname)) problems.push(`names no account ("${url.hostname}")`);
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(container))
    problems.push(`names no container ("${container}")`);
  return checked(problems, {
    kind: 'azure',
    account: url.hostname,
    container,
    prefix: prefixOf(rest.join('/'), problems),
    endpoint: options.get('endpoint'),
  });
}

function parseGcs(url: URL): BlobStoreSetting {
  const problems: string[] = [];
  const options = optionsOf(url, ['endpoint'], problems);
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(url.hostname))
    problems.push(`names no bucket ("${url.hostname}")`);
  return checked(problems, {
    kind: 'gcs',
    bucket: url.hostname,
    prefix: prefixOf(url.pathname, problems),
    endpoint: options.get('endpoint'),
  });
}

function checked(problems: readonly string[], setting: BlobStoreSetting): BlobStoreSetting {
  if (problems.length > 0) throw new Error(`${problems.join('; ')}.`);
  return setting;
}

function optionsOf(url: URL, names: readonly string[], problems: string[]): ReadonlyMap<string, string> {
  const options = new Map(url.searchParams);
  for (const name of options.keys())
    if (!names.includes(name)) problems.push(`knows no "${name}": there are ${names.join(', ')}`);
  if (url.username !== '' || url.password !== '')
    problems.push("must hold no credentials: give them as the store's own tools take them, or by a role");
  if (!/^https?:\/\/[^?#@]+$/.test(options.get('endpoint') ?? 'https://-'))
    problems.push('has an endpoint that is no address like https://host:port');
  return options;
}

function prefixOf(path: string, problems: string[]): string {
  const prefix = path.replace(/^\/|\/$/g, '');
  if (prefix === '') return '';
  if (!/^[\w-]+([./][\w-]+)*$/.test(prefix) || prefix.length > longestPrefix)
    problems.push(
      `has a prefix of other than up to ${longestPrefix} letters, digits, "-", "_", "." and "/" ("${prefix}")`,
    );
  return `${prefix}/`;
}

/** How it is told to people. */
export function describeBlobStore(setting: BlobStoreSetting): string {
  switch (setting.kind) {
    case 'filesystem':
      return setting.directory;
    case 's3':
      return `s3://${setting.bucket}/${setting.prefix}`;
    case 'azure':
      return `azure://${setting.account}/${setting.container}/${setting.prefix}`;
    case 'gcs':
      return `gs://${setting.bucket}/${setting.prefix}`;
  }
}
