import type { Endpoint } from '../port.ts';
import type { Facts } from './facts.ts';
import { portsOf } from './render.ts';

/** By the Service's own address: no name has to be resolved, and a new pod has the same one. */
export function endpointsOf({ service, template }: Facts): Readonly<Record<string, Endpoint>> {
  const host = service?.spec.clusterIP;
  if (host === undefined || host === '' || host === 'None') return {};
  return Object.fromEntries(Object.entries(portsOf(template)).map(([name, port]) => [name, { host, port }]));
}
