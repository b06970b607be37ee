import type { ClientRecord, ComponentRecord, Environment, LinkRecord, ServiceRecord } from './model.ts';

/** An optional key that has no value is left out: some readers take an empty string for a value. */
const optional = <K extends string>(key: K, value: string | undefined) =>
  value === undefined ? {} : { [key]: value };

export const presentEnvironment = (environment: Environment) => ({
  environment: {
    h2oCloudEnvironment: environment.publicUrl,
    issuerUrl: environment.issuerUrl,
    h2oCloudPlatformOauth2Scope: environment.platformScope,
    h2oCloudVersion: environment.version,
  },
});

export const presentService = (service: ServiceRecord) => ({
  name: `services/${service.id}`,
  displayName: service.displayName,
  uri: service.uri,
  ...optional('version', service.version),
  ...optional('oauth2Scope', service.oauth2Scope),
  ...optional('pythonClient', service.pythonClient),
});

export const presentClient = (client: ClientRecord) => ({
  name: `clients/${client.id}`,
  displayName: client.displayName,
  oauth2ClientId: client.oauth2ClientId,
});

export const presentLink = (link: LinkRecord) => ({
  name: `links/${link.id}`,
  uri: link.uri,
  ...optional('text', link.text),
});

export const presentComponent = (component: ComponentRecord) => ({
  name: `components/${component.id}`,
  displayName: component.displayName,
  version: component.version,
  ...optional('description', component.description),
  ...optional('documentationUri', component.documentationUri),
});

/**
 * One page of a list. On the last page there is no `nextPageToken` at all: the official client follows an empty one for ever
 * (contracts/discovery.md §2).
 */
export const presentPage = <T>(
  collection: string,
  page: { items: readonly T[]; nextPageToken: string | undefined },
) => ({
  [collection]: page.items,
  ...optional('nextPageToken', page.nextPageToken),
});
