import type { OAuthClient } from '../model.ts';
import { presentClient } from '../present.ts';
import type { RouteContext } from './context.ts';

export async function clientAnswer({ callbackUriOf, namesOf }: RouteContext, client: OAuthClient) {
  const { creator, updated } = client;
  return presentClient(client, callbackUriOf(client), await namesOf([creator, updated?.by ?? creator]));
}
