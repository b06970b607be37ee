import type { Deed } from '@haic/kit/auth/party-policy.ts';
import { invalid } from '@haic/kit/errors.ts';
import { noContent, problems } from '@haic/kit/http/operation.ts';
import { cutPage, pageOf, pageQuery, placeAfter } from '@haic/kit/http/paging.ts';
import type { FastifyRequest, HttpServer } from '@haic/kit/http/server.ts';
import Type, { type Static } from 'typebox';
import type { Person } from '../model.ts';
import { accountNamePattern } from '../service-accounts/model.ts';
import { presentServiceAccount } from '../service-accounts/present.ts';
import {
  byAccountName,
  defaultOverlapHours,
  newServiceAccount,
  rotation,
  ServiceAccountSchema,
  serviceAccountChanges,
  WithSecretSchema,
} from '../service-accounts/schemas.ts';
import type { ServiceAccountsService, WithSecret } from '../service-accounts/service.ts';
import { searchText } from './schemas.ts';

const tags = ['Service accounts'];
const querystring = Type.Object({
  ...pageQuery,
  query: Type.Optional(searchText),
  role: Type.Optional(searchText),
  group: Type.Optional(searchText),
});

/** For administrators by the public API, and for `./haic service-account` on the machine itself. */
export interface ServiceAccountRoutes {
  readonly accounts: ServiceAccountsService;
  readonly path: string;
  /** Seeing and changing; and what gives a secret away. */
  readonly deed: Deed;
  readonly secretDeed: Deed;
  /** Undefined for the operator. */
  readonly by: (request: FastifyRequest) => Person | undefined;
}

export function registerServiceAccountRoutes(scope: HttpServer, routes: ServiceAccountRoutes): void {
  const { accounts, path, by } = routes;
  const config = { deed: routes.deed };
  const nameOf = (request: FastifyRequest) => (request.params as Static<typeof byAccountName>).name;

  const list = {
    operationId: 'listServiceAccounts',
    summary: 'Service accounts, by name; for administrators',
    tags,
    querystring,
    response: { 200: pageOf(ServiceAccountSchema) },
  };
  scope.get(path, { schema: list, config }, async (request) => {
    const { pageSize = 50, pageToken, query = '', role, group } = request.query as Static<typeof querystring>;
    const after = placeAfter(pageToken, accountNamePattern)?.[0] ?? '';
    const found = await accounts.page({ text: query.trim(), role, group, after, limit: pageSize + 1 });
    const { page, next } = cutPage(found, pageSize, ({ name }) => [name]);
    return { items: page.map(presentServiceAccount), ...next };
  });

  const create = {
    operationId: 'addServiceAccount',
    summary: 'Makes a service account, with its first secret',
    tags,
    body: newServiceAccount,
    response: { 201: WithSecretSchema, ...problems(409) },
  };
  const secretConfig = { deed: routes.secretDeed, idempotent: { secrets: ['secret'] } };
  scope.post(
    path,
    {
      schema: create,
      config: {
        ...secretConfig,
        audit: {
          action: 'actions/identity/serviceaccounts/CREATE',
          resource: '//identity/serviceaccounts/{answer.account.name}',
          parameters: ['name', 'owner', 'roles', 'groups'],
        },
      },
    },
    async (request, reply) => {
      const {
        description = '',
        roles = [],
        groups = [],
        expiresAt,
        ...rest
      } = request.body as Static<typeof newServiceAccount>;
      const wanted = { ...rest, description, roles, groups, expiresAt: timeOf(expiresAt) };
      const made = await accounts.create(wanted, by(request));
      reply.code(201).header('location', `${path}/${made.account.name}`);
      return presentWithSecret(made);
    },
  );

  const get = {
    operationId: 'getServiceAccount',
    summary: 'A service account',
    tags,
    params: byAccountName,
    response: { 200: ServiceAccountSchema },
  };
  scope.get(`${path}/:name`, { schema: get, config }, async (request) =>
    presentServiceAccount(await accounts.get(nameOf(request))),
  );

  const change = {
    operationId: 'changeServiceAccount',
    summary: 'Changes a service account. Disabling it refuses its tokens at once and stops what it runs.',
    tags,
    params: byAccountName,
    body: serviceAccountChanges,
    response: { 200: ServiceAccountSchema },
  };
  scope.patch(
    `${path}/:name`,
    {
      schema: change,
      config: {
        ...config,
        audit: {
          action: 'actions/identity/serviceaccounts/UPDATE',
          resource: '//identity/serviceaccounts/{name}',
          parameters: ['owner', 'roles', 'groups', 'disabled'],
        },
      },
    },
    async (request) => {
      const { expiresAt, ...changes } = request.body as Static<typeof serviceAccountChanges>;
      const end = expiresAt === undefined ? {} : { expiresAt: timeOf(expiresAt ?? undefined) ?? null };
      return presentServiceAccount(
        await accounts.change(nameOf(request), { ...changes, ...end }, by(request)),
      );
    },
  );

  const rotate = {
    operationId: 'rotateServiceAccountSecret',
    summary: 'Makes a new secret; the one before stays good for a while',
    tags,
    params: byAccountName,
    body: rotation,
    response: { 200: WithSecretSchema },
  };
  scope.post(
    `${path}/:name/secret`,
    {
      schema: rotate,
      config: {
        ...secretConfig,
        audit: {
          action: 'actions/identity/serviceaccounts/ROTATESECRET',
          resource: '//identity/serviceaccounts/{name}',
        },
      },
    },
    async (request) => {
      const overlap = (request.body as Static<typeof rotation>)?.overlapHours ?? defaultOverlapHours;
      return presentWithSecret(await accounts.rotate(nameOf(request), overlap, by(request)));
    },
  );

  const remove = {
    operationId: 'removeServiceAccount',
    summary: 'Removes a service account for good: its tokens are refused at once and what it runs stops',
    tags,
    params: byAccountName,
    response: { 204: noContent },
  };
  scope.delete(
    `${path}/:name`,
    {
      schema: remove,
      config: {
        ...config,
        audit: {
          action: 'actions/identity/serviceaccounts/DELETE',
          resource: '//identity/serviceaccounts/{name}',
        },
      },
    },
    async (request, reply) => {
      await accounts.remove(nameOf(request), by(request));
      return reply.code(204).send();
    },
  );
}

const presentWithSecret = ({ account, secret }: WithSecret) => ({
  account: presentServiceAccount(account),
  secret,
});

function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw invalid('bad_expiry', `"${text}" is no time. Write it like 2027-01-31T00:00:00Z.`);
  return time;
}
