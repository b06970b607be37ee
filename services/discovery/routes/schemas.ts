import { listOf } from '@haic/kit/http/operation.ts';
import Type, { type TSchema } from 'typebox';

export const tags = ['Discovery'];
const closed = { additionalProperties: false };

export const EnvironmentSchema = Type.Object(
  {
    environment: Type.Object(
      {
        h2oCloudEnvironment: Type.String(),
        issuerUrl: Type.String(),
        h2oCloudPlatformOauth2Scope: Type.String(),
        h2oCloudVersion: Type.String(),
      },
      closed,
    ),
  },
  { title: 'Environment', ...closed },
);

export const ServiceSchema = Type.Object(
  {
    name: Type.String(),
    displayName: Type.String(),
    uri: Type.String(),
    version: Type.Optional(Type.String()),
    oauth2Scope: Type.Optional(Type.String()),
    pythonClient: Type.Optional(Type.String()),
  },
  { title: 'Service', ...closed },
);

export const ClientSchema = Type.Object(
  { name: Type.String(), displayName: Type.String(), oauth2ClientId: Type.String() },
  { title: 'Client', ...closed },
);

export const LinkSchema = Type.Object(
  { name: Type.String(), uri: Type.String(), text: Type.Optional(Type.String()) },
  { title: 'Link', ...closed },
);

export const ComponentSchema = Type.Object(
  {
    name: Type.String(),
    displayName: Type.String(),
    version: Type.String(),
    description: Type.Optional(Type.String()),
    documentationUri: Type.Optional(Type.String()),
  },
  { title: 'Component', ...closed },
);

export const pageSchema = (collection: string, record: TSchema) =>
  Type.Object({ [collection]: listOf(record), nextPageToken: Type.Optional(Type.String()) }, closed);

export const VersionSchema = Type.Object({ version: Type.String() }, { title: 'Version', ...closed });
