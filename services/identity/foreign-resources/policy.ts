import { everyClient, type ForeignResource } from './model.ts';

/** Who asks for a token for a resource, as far as it decides. */
export type AskingClient =
  | { readonly kind: 'app'; readonly appId: string | undefined }
  | { readonly kind: 'service-account'; readonly name: string };

export function mayAskFor(client: AskingClient, resource: ForeignResource): boolean {
  if (client.kind === 'service-account') return covers(resource.serviceAccounts, client.name);
  return covers(resource.apps, client.appId);
}

const covers = (allowed: readonly string[], client: string | undefined): boolean =>
  allowed.includes(everyClient) || (client !== undefined && allowed.includes(client));
