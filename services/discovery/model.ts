/** What a client learns from one environment URL (contracts/discovery.md). */
export interface Environment {
  /** Byte-equal to what people type as the environment: clients compare it with their configuration file. */
  readonly publicUrl: string;
  readonly issuerUrl: string;
  readonly version: string;
  /** Sent by no known client; empty means that none is needed. */
  readonly platformScope: string;
}

export interface ServiceRecord {
  /** The key under which client libraries look it up, e.g. `secure-store`. */
  readonly id: string;
  readonly displayName: string;
  /** Without a trailing slash: clients append `/v1/…` and join `version` by RFC 3986. */
  readonly uri: string;
  readonly version?: string;
  readonly oauth2Scope?: string;
  /** A pip requirement for a matching client. */
  readonly pythonClient?: string;
}

export interface ClientRecord {
  readonly id: string;
  readonly displayName: string;
  readonly oauth2ClientId: string;
}

export interface LinkRecord {
  readonly id: string;
  readonly uri: string;
  readonly text?: string;
}

export interface ComponentRecord {
  readonly id: string;
  readonly displayName: string;
  readonly version: string;
  readonly description?: string;
  readonly documentationUri?: string;
}

export interface Catalogue {
  readonly environment: Environment;
  readonly services: readonly ServiceRecord[];
  readonly clients: readonly ClientRecord[];
  readonly links: readonly LinkRecord[];
  readonly components: readonly ComponentRecord[];
}

const idPattern = /^[a-z0-9][a-z0-9-]*$/;

/** Mistakes in a catalogue make official clients fail in odd ways, so they are refused at the start, all at once. */
export function checkCatalogue(catalogue: Catalogue): Catalogue {
  const problems: string[] = [];
  const { publicUrl, issuerUrl } = catalogue.environment;
  for (const [what, uri] of [
    ['publicUrl', publicUrl],
    ['issuerUrl', issuerUrl],
    ...catalogue.services.map((service) => [`service ${service.id}`, service.uri] as const),
  ] as const) {
    if (!URL.canParse(uri)) problems.push(`${what}: "${uri}" is not an absolute URL`);
    if (uri.endsWith('/')) problems.push(`${what}: "${uri}" must not end in a slash`);
  }
  for (const kind of ['services', 'clients', 'links', 'components'] as const) {
    const ids = catalogue[kind].map((record) => record.id);
    for (const id of ids) if (!idPattern.test(id)) problems.push(`${kind}: "${id}" is no id`);
    for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index)))
      problems.push(`${kind}: "${id}" occurs twice`);
  }
  if (problems.length > 0) throw new Error(`The discovery catalogue is wrong: ${problems.join('; ')}.`);
  return catalogue;
}
