const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const uuidPattern = new RegExp(`^${uuid}$`);

export const isInstanceId = (text: string): boolean => uuidPattern.test(text);

export type KnownHost = { readonly kind: 'portal' } | { readonly kind: 'app'; readonly instanceId: string };

/** The hosts of this installation: the portal's, and `<instance id>.<portal host>` for each instance. */
export interface Hosts {
  /** Scheme, host and port of the portal. */
  readonly portalOrigin: string;
  readonly secure: boolean;
  appHost(instanceId: string): string;
  appOrigin(instanceId: string): string;
  /** By the Host header in lower case. Anything that is not exactly one of ours (another port, a trailing dot) is undefined. */
  find(host: string): KnownHost | undefined;
}

export function createHosts(publicUrl: string): Hosts {
  const url = new URL(publicUrl);
  if (url.pathname !== '/' || url.search !== '' || url.username !== '')
    throw new Error(`The public URL must be an origin (scheme, host, port), not "${publicUrl}".`);
  const secure = url.protocol === 'https:';
  const portal = url.host;
  const spellings = url.port === '' ? [portal, `${portal}:${secure ? 443 : 80}`] : [portal];
  const portalHost: KnownHost = { kind: 'portal' };
  const appHost = (instanceId: string) => `${instanceId}.${portal}`;
  return {
    portalOrigin: url.origin,
    secure,
    appHost,
    appOrigin: (instanceId) => `${url.protocol}//${appHost(instanceId)}`,
    find: (host) => {
      if (spellings.includes(host)) return portalHost;
      const instanceId = host.slice(0, 36);
      if (host[36] !== '.' || !isInstanceId(instanceId) || !spellings.includes(host.slice(37)))
        return undefined;
      return { kind: 'app', instanceId };
    },
  };
}
