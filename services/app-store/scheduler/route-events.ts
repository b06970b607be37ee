import type { InstanceRoute, RouteLine } from './instance-route.ts';
import type { Instances } from './instances.ts';
import { presentRoute } from './present.ts';

/** Changes of instances as the router needs them: those that leave a route as it was are left out. */
export async function* routeLines(
  instances: Instances,
  options: { signal: AbortSignal; pingMs: number },
): AsyncGenerator<RouteLine> {
  const sent = new Map<string, string>();
  const isNews = (route: InstanceRoute): boolean => {
    const text = JSON.stringify(route);
    if (sent.get(route.instanceId) === text) return false;
    sent.set(route.instanceId, text);
    return true;
  };
  for await (const change of instances.changes({ signal: options.signal, idleMs: options.pingMs })) {
    if (change.type === 'IDLE') yield { type: 'PING' };
    else if (change.type === 'SNAPSHOT') {
      const routes = change.instances.map(presentRoute);
      for (const route of routes) isNews(route);
      yield { type: 'SNAPSHOT', routes };
    } else if (change.type === 'REMOVE') {
      if (sent.delete(change.id)) yield { type: 'REMOVE', instanceId: change.id };
    } else {
      const route = presentRoute(change.instance);
      if (isNews(route)) yield { type: 'SET', route };
    }
  }
}
