import type { Keycloak } from '../support/keycloak.ts';

/** Another organisation's provider, played by a realm of its own, that Haic's Keycloak brokers. Follows docs/keycloak.md. */
export interface ForeignProvider {
  readonly alias: string;
  /** Somebody there. */
  readonly person: { readonly username: string; readonly password: string };
}

const groupOfAll = 'analysts';

/** Gives whoever comes from the provider the role `user`, and its group of that name ours. */
async function mapRolesAndGroups(keycloak: Keycloak, alias: string, kind: 'oidc' | 'saml'): Promise<void> {
  const groups = JSON.stringify([{ key: 'groups', value: groupOfAll }]);
  const mappers = [
    {
      name: 'everyone may use Haic',
      identityProviderMapper: 'oidc-hardcoded-role-idp-mapper',
      config: { syncMode: 'INHERIT', role: 'user' },
    },
    {
      name: 'analysts',
      identityProviderMapper: `${kind}-advanced-group-idp-mapper`,
      config: {
        syncMode: 'FORCE',
        [kind === 'oidc' ? 'claims' : 'attributes']: groups,
        group: `/${groupOfAll}`,
      },
    },
  ];
  for (const mapper of mappers)
    await keycloak.admin('POST', 'haic', `/identity-provider/instances/${alias}/mappers`, {
      ...mapper,
      identityProviderAlias: alias,
    });
}

async function realmWithPeople(
  keycloak: Keycloak,
  realm: string,
  usernames: readonly string[],
): Promise<void> {
  await keycloak.importRealm({
    realm,
    enabled: true,
    sslRequired: 'external',
    groups: [{ name: groupOfAll }],
  });
  for (const username of usernames)
    await keycloak.addUser(realm, {
      username,
      password: `${realm} password of ${username}`,
      groups: [groupOfAll],
      name: { first: username, last: `of ${realm}` },
    });
}

/** A realm with people and a client for whoever brokers it: all that an OpenID provider has to know of Haic. */
export async function addRealmWithClient(
  keycloak: Keycloak,
  options: {
    alias: string;
    usernames: readonly string[];
    client: { id: string; secret: string };
    /** The broker's redirect address. */
    endpoint: string;
  },
): Promise<ForeignProvider> {
  const { alias, usernames, client, endpoint } = options;
  await realmWithPeople(keycloak, alias, usernames);
  await keycloak.admin('POST', alias, '/clients', {
    clientId: client.id,
    secret: client.secret,
    publicClient: false,
    standardFlowEnabled: true,
    directAccessGrantsEnabled: false,
    redirectUris: [endpoint],
    attributes: { 'post.logout.redirect.uris': `${endpoint}/logout_response` },
    protocolMappers: [
      {
        name: 'groups',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-group-membership-mapper',
        config: {
          'claim.name': 'groups',
          'full.path': 'false',
          'id.token.claim': 'true',
          'access.token.claim': 'true',
          'userinfo.token.claim': 'true',
        },
      },
    ],
  });
  return { alias, person: personOf(alias, usernames[0] ?? '') };
}

/** An OpenID provider: code flow, signed tokens checked by its key set. */
export async function addOpenIdProvider(
  keycloak: Keycloak,
  usernames: readonly string[],
): Promise<ForeignProvider> {
  const alias = 'corp';
  const issuer = keycloak.issuer(alias);
  const endpoint = (name: string) => `${issuer}/protocol/openid-connect/${name}`;
  const client = { id: 'haic-broker', secret: 'known to both sides' };
  const foreign = await addRealmWithClient(keycloak, {
    alias,
    usernames,
    client,
    endpoint: `${keycloak.issuer('haic')}/broker/${alias}/endpoint`,
  });
  await keycloak.admin('POST', 'haic', '/identity-provider/instances', {
    alias,
    displayName: 'Corp',
    providerId: 'oidc',
    enabled: true,
    trustEmail: true,
    config: {
      issuer,
      clientId: client.id,
      clientSecret: client.secret,
      clientAuthMethod: 'client_secret_basic',
      authorizationUrl: endpoint('auth'),
      tokenUrl: endpoint('token'),
      userInfoUrl: endpoint('userinfo'),
      logoutUrl: endpoint('logout'),
      jwksUrl: endpoint('certs'),
      useJwksUrl: 'true',
      validateSignature: 'true',
      pkceEnabled: 'true',
      pkceMethod: 'S256',
      defaultScope: 'openid profile email',
      syncMode: 'FORCE',
    },
  });
  await mapRolesAndGroups(keycloak, alias, 'oidc');
  return foreign;
}

const post = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';
const userAttribute = (name: string, property: string) => ({
  name,
  protocol: 'saml',
  protocolMapper: 'saml-user-property-mapper',
  config: { 'user.attribute': property, 'attribute.name': name, 'attribute.nameformat': 'Basic' },
});

/** A SAML provider: signed assertions over the POST binding, its attributes mapped to names, e-mail and groups. */
export async function addSamlProvider(
  keycloak: Keycloak,
  usernames: readonly string[],
): Promise<ForeignProvider> {
  const alias = 'partner';
  const [ours, theirs] = [keycloak.issuer('haic'), keycloak.issuer(alias)];
  await realmWithPeople(keycloak, alias, usernames);
  await keycloak.admin('POST', alias, '/clients', {
    clientId: ours,
    protocol: 'saml',
    enabled: true,
    frontchannelLogout: true,
    redirectUris: [`${ours}/broker/${alias}/endpoint`],
    attributes: {
      'saml.assertion.signature': 'true',
      'saml.server.signature': 'true',
      'saml.client.signature': 'false',
      'saml.force.post.binding': 'true',
      'saml.authnstatement': 'true',
      saml_force_name_id_format: 'true',
      saml_name_id_format: 'persistent',
      saml_assertion_consumer_url_post: `${ours}/broker/${alias}/endpoint`,
      saml_single_logout_service_url_post: `${ours}/broker/${alias}/endpoint`,
    },
    protocolMappers: [
      userAttribute('username', 'username'),
      userAttribute('email', 'email'),
      userAttribute('firstName', 'firstName'),
      userAttribute('lastName', 'lastName'),
      {
        name: 'groups',
        protocol: 'saml',
        protocolMapper: 'saml-group-membership-mapper',
        config: { 'attribute.name': 'groups', 'full.path': 'false', single: 'true' },
      },
    ],
  });
  await keycloak.admin('POST', 'haic', '/identity-provider/instances', {
    alias,
    displayName: 'Partner',
    providerId: 'saml',
    enabled: true,
    trustEmail: true,
    config: {
      entityId: ours,
      idpEntityId: theirs,
      singleSignOnServiceUrl: `${theirs}/protocol/saml`,
      singleLogoutServiceUrl: `${theirs}/protocol/saml`,
      nameIDPolicyFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      principalType: 'SUBJECT',
      protocolBinding: post,
      postBindingAuthnRequest: 'true',
      postBindingResponse: 'true',
      postBindingLogout: 'true',
      wantAuthnRequestsSigned: 'false',
      wantAssertionsSigned: 'true',
      validateSignature: 'true',
      signingCertificate: await signingCertificateOf(keycloak, alias),
      syncMode: 'FORCE',
    },
  });
  const attribute = (name: string) => ({
    name,
    identityProviderMapper: 'saml-user-attribute-idp-mapper',
    identityProviderAlias: alias,
    config: { syncMode: 'FORCE', 'attribute.name': name, 'user.attribute': name },
  });
  const username = {
    name: 'username',
    identityProviderMapper: 'saml-username-idp-mapper',
    identityProviderAlias: alias,
    // Keycloak's own placeholder, not ours.
    config: { syncMode: 'FORCE', template: '$' + '{ATTRIBUTE.username}', target: 'LOCAL' },
  };
  for (const mapper of [username, attribute('email'), attribute('firstName'), attribute('lastName')])
    await keycloak.admin('POST', 'haic', `/identity-provider/instances/${alias}/mappers`, mapper);
  await mapRolesAndGroups(keycloak, alias, 'saml');
  return { alias, person: personOf(alias, usernames[0] ?? '') };
}

/** Of what the realm signs with now. */
export async function signingCertificateOf(keycloak: Keycloak, realm: string): Promise<string> {
  const { keys } = await keycloak.admin<{ keys: { use: string; type: string; certificate?: string }[] }>(
    'GET',
    realm,
    '/keys',
  );
  const key = keys.find(({ use, type, certificate }) => use === 'SIG' && type === 'RSA' && certificate);
  if (key?.certificate === undefined) throw new Error(`The realm ${realm} has no signing certificate.`);
  return key.certificate;
}

const personOf = (realm: string, username: string) => ({
  username,
  password: `${realm} password of ${username}`,
});
