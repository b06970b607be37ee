import type { RoutingMode } from '../catalog/client.ts';

/** Where people open an instance, with its trailing slash: a host of its own, always (design §3). */
export function instanceUrl(publicUrl: string, instanceId: string, routingMode: RoutingMode): string {
  const { protocol, host } = new URL(publicUrl);
  return `${protocol}//${instanceId}.${host}${baseUrlOf(instanceId, routingMode)}`;
}

/** The prefix of every path of the app, with both slashes. */
export const baseUrlOf = (instanceId: string, routingMode: RoutingMode): string =>
  routingMode === 'BASE_URL' ? `/instance/${instanceId}/` : '/';
