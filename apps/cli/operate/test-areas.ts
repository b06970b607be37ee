/** Programs that the machine must have, and the Debian packages that bring them. */
export const testNeeds = {
  bubblewrap: { program: '/usr/bin/bwrap', packages: ['bubblewrap'] },
  chromium: { program: '/usr/bin/chromium', packages: ['chromium', 'fonts-dejavu-core'] },
  java: { program: '/usr/bin/java', packages: ['openjdk-17-jre-headless'] },
  maven: { program: '/usr/bin/mvn', packages: ['maven'] },
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
  /** Test files of the area that run at once; those with real servers and process counts want the machine for themselves. */
  readonly concurrency: number;
}

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
  concurrency: 2,
  ...more,
});

export const testAreas: readonly TestArea[] = [
  area('kit', 'what services share', ['kit/**/*.test.ts']),
  area('platform', 'ports: PostgreSQL, blobs', [
    'platform/database/**/*.test.ts',
    'platform/blob/**/*.test.ts',
  ]),
  area('runtime', 'the runtime port on the local runtime', ['platform/runtime/**/*.test.ts'], {
    needs: ['bubblewrap'],
    concurrency: 1,
  }),
  area('identity', 'the OpenID provider, people, discovery', [
    'services/identity/**/*.test.ts',
    'services/discovery/**/*.test.ts',
  ]),
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
  area('portal', 'pages in a real browser', ['apps/web/test/**/*.test.ts'], {
    needs: ['chromium'],
    concurrency: 1,
  }),
  area(
    'clients',
    'the official Python clients, the command line and notebooks against a running Haic',
    ['test/clients/**/*.test.ts'],
    {
      needs: ['bubblewrap', 'chromium'],
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
    { needs: ['bubblewrap', 'chromium', 'java', 'maven', 'unzip'], concurrency: 1 },
  ),
  area('security', 'the list of attacks, against a running Haic', ['test/security/**/*.test.ts'], {
    needs: ['bubblewrap', 'chromium'],
    concurrency: 1,
  }),
  area('faults', 'crashes, full disks, restarts', ['test/faults/**/*.test.ts'], {
    needs: ['bubblewrap'],
    concurrency: 1,
  }),
];
