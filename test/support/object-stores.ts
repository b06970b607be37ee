import {
  type StoreServer,
  startAzurite,
  startFakeGcsServer,
  startVersitygw,
} from '@haic/test-stores/servers.ts';

export interface ObjectStore {
  /** What serves, for the test's output. */
  readonly name: string;
  /** `HAIC_BLOB_STORE`, and what the store's client is told by the environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** What it keeps on files is below. */
  readonly folder: string;
  stop(): Promise<void>;
}

const storeOf = (server: StoreServer, environment: NodeJS.ProcessEnv): ObjectStore => ({
  name: server.name,
  environment,
  folder: server.folder,
  stop: () => server.stop(),
});

/** Where objects can be but on files, each started empty and as an administrator names it to Haic. */
export const stores: readonly { readonly name: string; start(): Promise<ObjectStore> }[] = [
  {
    name: 'S3, by versitygw',
    start: async () => {
      const server = await startVersitygw();
      return storeOf(server, {
        HAIC_BLOB_STORE: `s3://bucket/haic?region=us-east-1&endpoint=${server.endpoint}`,
        AWS_ACCESS_KEY_ID: server.accessKey,
        AWS_SECRET_ACCESS_KEY: server.secretKey,
      });
    },
  },
  {
    name: 'Azure Blob Storage, by Azurite',
    start: async () => {
      const server = await startAzurite();
      const { accessKey: account, secretKey } = server;
      return storeOf(server, {
        HAIC_BLOB_STORE: `azure://${account}/container/haic?endpoint=${server.endpoint}/${account}`,
        HAIC_BLOB_STORE_KEY: secretKey,
      });
    },
  },
  {
    name: 'Google Cloud Storage, by fake-gcs-server',
    start: async () => {
      const server = await startFakeGcsServer();
      return storeOf(server, { HAIC_BLOB_STORE: `gs://bucket/haic?endpoint=${server.endpoint}` });
    },
  },
];
