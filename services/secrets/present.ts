import { create } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromDate } from '@bufbuild/protobuf/wkt';
import {
  type OAuthClient as OAuthClientMessage,
  OAuthClientSchema,
} from './gen/ai/h2o/securestore/v1/oauth_client_pb.js';
import {
  Secret_State,
  type Secret as SecretMessage,
  SecretSchema,
} from './gen/ai/h2o/securestore/v1/secret_pb.js';
import {
  SecretVersionSchema,
  type SecretVersion as VersionMessage,
} from './gen/ai/h2o/securestore/v1/secret_version_pb.js';
import {
  type TokenSource as TokenSourceMessage,
  TokenSourceSchema,
} from './gen/ai/h2o/securestore/v1/token_source_pb.js';
import { type Secret, type SecretVersion, secretName, versionName } from './model.ts';

import { type OAuthClient, oauthClientName, tokenSourceName } from './oauth/model.ts';
import type { ShownSource } from './oauth/sources.ts';

/** The only place that shapes what clients of the secure store see. */
export const presentSecret = (secret: Secret): SecretMessage =>
  create(SecretSchema, {
    name: secretName(secret),
    state: secret.deleted === undefined ? Secret_State.ACTIVE : Secret_State.DELETED,
    creator: secret.creator,
    createTime: timestampFromDate(secret.createdAt),
    deleter: secret.deleted?.by ?? '',
    ...optional('deleteTime', secret.deleted?.at),
    ...optional('purgeTime', secret.deleted?.purgeAt),
    uid: secret.uid,
    annotations: secret.annotations,
    displayName: secret.displayName,
  });

export const presentVersion = (version: SecretVersion): VersionMessage =>
  create(SecretVersionSchema, {
    name: versionName(version),
    creator: version.creator,
    createTime: timestampFromDate(version.createdAt),
    uid: version.uid,
  });

/** Without its secret, of which only is told that there is one. */
export const presentOAuthClient = (client: OAuthClient, callbackUri: string): OAuthClientMessage =>
  create(OAuthClientSchema, {
    name: oauthClientName(client),
    displayName: client.displayName,
    issuer: client.issuer,
    clientId: client.clientId,
    clientSecretSet: client.clientSecretSet,
    authorizationEndpoint: client.authorizationEndpoint,
    tokenEndpoint: client.tokenEndpoint,
    extraScopes: [...client.extraScopes],
    refreshDisabled: client.refreshDisabled,
    loginPrincipalClaim: client.loginPrincipalClaim,
    callbackUri,
    creator: client.creator,
    createTime: timestampFromDate(client.createdAt),
    updater: client.updated?.by ?? '',
    ...optional('updateTime', client.updated?.at),
    uid: client.uid,
    oidcDisabled: client.oidcDisabled,
  });

export const presentTokenSource = (shown: ShownSource): TokenSourceMessage => {
  const { source, loginUri, loginRequired, accessToken = '' } = shown;
  return create(TokenSourceSchema, {
    name: tokenSourceName(source),
    redirectUri: source.redirectUri,
    loginUri,
    loginRequired,
    accessToken,
    ...(accessToken === '' ? {} : optional('issueTime', source.issuedAt)),
    ...(accessToken === '' ? {} : optional('expireTime', source.expiresAt)),
    ...optional('loginTime', source.loginAt),
    subject: source.subject,
    loginPrincipal: source.loginPrincipal,
    creator: `users/${source.owner}`,
    createTime: timestampFromDate(source.createdAt),
    uid: source.uid,
  });
};

const optional = <Field extends string>(
  field: Field,
  at: Date | undefined,
): Partial<Record<Field, Timestamp>> =>
  at === undefined ? {} : ({ [field]: timestampFromDate(at) } as Partial<Record<Field, Timestamp>>);
