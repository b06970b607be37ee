/** Programs that the machine must have, and the Debian packages that bring them. */
export const testNeeds = {
  bubblewrap: { program: '/usr/bin/bwrap', packages: ['bubblewrap'] },
  chromium: { program: '/usr/bin/chromium', packages: ['chromium', 'fonts-dejavu-core'] },
  java: { program: '/usr/bin/java', packages: ['openjdk-17-jre-headless'] },
  maven: { program: '/usr/bin/mvn', packages: ['maven'] },
  iproute: { program: '/usr/sbin/ip', packages: ['iproute2'] },
  openssl: { program: '/usr/bin/openssl', packages: ['openssl'] },
  unzip: { program: '/usr/bin/unzip', packages: ['unzip'] },
} as const;
export type TestNeed = keyof typeof testNeeds;

/**
 * The areas of the test suite, in the order in which they run: what others build on first. An area's files are found by its globs; a
 * test beside the code belongs to the folder that it tests.
 */
export interface TestArea {
  readonly name: string;
  readonly about: string;
  readonly files: readonly string[];
  /** What the machine needs beyond Node; installed when it can be. */
  readonly needs: readonly TestNeed[];
  /** Scripts that put into the cache what takes long to build or to fetch; they run beside the areas before, which are given precedence. */
  readonly preparedBy: readonly string[];
  /** Test files of the area that run at once. What is promised within seconds, or counts the processes of the machine, wants it for itself. */
  readonly concurrency: number;
  /** Its tests run in the network of a test cluster, which is started for them and ended after them. */
  readonly inCluster: boolean;
  /** That cluster has Haic's own images; made before, since nothing in there reaches a package index. */
  readonly haicImages: boolean;
  /** That cluster has Traefik's image; built before, since nothing in there reaches a registry of modules. */
  readonly ingress: boolean;
}

const preparations = {
  stores: 'deploy/test-stores/prepare.ts',
  servers: 'test/support/prepare.ts',
  cluster: 'apps/cli/operate/test-cluster-prepare.ts',
  images: 'deploy/images/tests/prepare.ts',
};

const area = (
  name: string,
  about: string,
  files: readonly string[],
  more: Partial<TestArea> = {},
): TestArea => ({
  name,
  about,
  files,
  needs: [],
  preparedBy: [],
  concurrency: 2,
  inCluster: false,
  haicImages: false,
  ingress: false,
  ...more,
});

export const testAreas: readonly TestArea[] = [
  area('kit', 'what services share', ['kit/**/*.test.ts']),
  area('platform', 'ports: PostgreSQL', ['platform/database/**/*.test.ts']),
  area('runtime', 'the runtime port on the local runtime', ['platform/runtime/local/**/*.test.ts'], {
    needs: ['bubblewrap'],
    concurrency: 1,
  }),
  area('identity', 'the OpenID provider, people, discovery', [
    'services/identity/**/*.test.ts',
    'services/discovery/**/*.test.ts',
  ]),
  area('secrets', 'the secure store', ['services/secrets/**/*.test.ts']),
  area('drive', 'Drive: signatures, temporary keys, objects, usage', ['services/drive/**/*.test.ts']),
  area('workspaces', 'workspaces, their members and who may what', ['services/workspaces/**/*.test.ts']),
  area('audit', 'the audit trail and what tells it', ['services/audit/**/*.test.ts']),
  area('catalog', 'bundles, manifests, apps', ['services/app-store/catalog/**/*.test.ts']),
  area('scheduler', 'instances', ['services/app-store/scheduler/**/*.test.ts']),
  area('router', 'the edge: sessions, authorisation, proxying', ['services/app-store/router/**/*.test.ts'], {
    concurrency: 1,
  }),
  area(
    'environments',
    'Python environments by uv',
    ['services/environments/**/*.test.ts', 'apps/installer/**/*.test.ts'],
    { concurrency: 1 },
  ),
  area(
    'launcher',
    'the main process of an instance, with real waved and uvicorn',
    ['apps/launcher/**/*.test.ts'],
    { concurrency: 1 },
  ),
  area('cli', 'the one command', ['apps/cli/**/*.test.ts', 'apps/server/**/*.test.ts']),
  area(
    'blob',
    'the blob port on files, on S3 by versitygw, on Azure by Azurite and on Google Cloud Storage by fake-gcs-server',
    ['platform/blob/**/*.test.ts'],
    { needs: ['openssl'], preparedBy: [preparations.stores] },
  ),
  area('portal', 'pages in a real browser', ['apps/web/test/**/*.test.ts'], {
    needs: ['chromium'],
    concurrency: 1,
  }),
  area(
    'clients',
    'the official Python clients, the command line and notebooks against a running Haic',
    ['test/clients/**/*.test.ts'],
    {
      needs: ['bubblewrap', 'chromium', 'java'],
      preparedBy: [preparations.stores, preparations.servers],
      concurrency: 1,
    },
  ),
  area('api', 'the public API against its own description, with schemathesis', ['test/api/**/*.test.ts'], {
    needs: ['bubblewrap'],
    concurrency: 1,
  }),
  area('browser', 'people and apps end to end', ['test/browser/**/*.test.ts'], {
    needs: ['bubblewrap', 'chromium'],
    concurrency: 1,
  }),
  area(
    'issuers',
    "one suite on Haic's own issuer and on a real Keycloak, which brokers others",
    ['test/issuers/**/*.test.ts'],
    {
      needs: ['bubblewrap', 'chromium', 'java', 'maven', 'unzip'],
      preparedBy: [preparations.servers],
      concurrency: 1,
    },
  ),
  area('security', 'the list of attacks, against a running Haic', ['test/security/**/*.test.ts'], {
    needs: ['bubblewrap', 'chromium'],
    concurrency: 1,
  }),
  area(
    'kubernetes',
    'on a real Kubernetes: the test cluster itself, the runtime port, the chart of an account',
    [
      ...['deploy/test-cluster/**/*.test.ts', 'deploy/charts/**/*.test.ts'],
      'platform/runtime/kubernetes/**/*.test.ts',
    ],
    {
      needs: ['iproute', 'openssl'],
      preparedBy: [preparations.cluster],
      concurrency: 1,
      inCluster: true,
      ingress: true,
    },
  ),
  area('cluster', 'Haic as pods, installed by its chart', ['test/kubernetes/**/*.test.ts'], {
    needs: ['chromium', 'iproute', 'openssl'],
    preparedBy: [preparations.cluster],
    concurrency: 1,
    inCluster: true,
    haicImages: true,
    ingress: true,
  }),
  area(
    'images',
    'the images, built from their Dockerfiles by a Docker engine',
    ['deploy/images/**/*.test.ts'],
    {
      needs: ['chromium', 'iproute', 'openssl'],
      preparedBy: [preparations.cluster, preparations.images],
      concurrency: 1,
    },
  ),
  area('faults', 'crashes, full disks, restarts', ['test/faults/**/*.test.ts'], {
    needs: ['bubblewrap'],
    preparedBy: [preparations.stores],
  }),
];
