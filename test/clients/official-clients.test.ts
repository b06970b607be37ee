import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { pythonWith } from '../support/python.ts';

const script = path.join(import.meta.dirname, 'official_clients.py');
const requirements = ['h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0'];

describe('the official h2o-cloud-discovery and h2o-authn', () => {
  let haic: Haic;
  let python: string;
  let token: string;
  let configFile: string;
  let services: string[];

  before(async () => {
    python = await pythonWith(requirements);
    haic = await startHaic();
    await haic.addUser('ada', { name: 'Ada Lovelace', groups: ['science'] });
    const published = await fetch(`${haic.url}/.ai.h2o.cloud.discovery/v1/services`);
    services = ((await published.json()) as { services: { name: string }[] }).services
      .map(({ name }) => name.replace('services/', ''))
      .sort();
    assert.ok(services.includes('authz-gateway'));
    token = (await haic.run(['token', '--user', 'ada'])).trim();
    configFile = path.join(haic.home, 'h2o-cli-config.toml');
    await writeFile(
      configFile,
      `Endpoint = "${haic.url}"\nPlatformClientID = "haic-platform"\nPlatformToken = "${token}"\n`,
    );
  });
  after(() => haic?.stop());

  const use = async (mode: string, source: string, env: NodeJS.ProcessEnv) =>
    JSON.parse(
      await execute(python, [script, mode, source], { PATH: '/usr/bin:/bin', TEST_URL: haic.url, ...env }),
    );

  const expected = () => ({
    environment: haic.url,
    issuer: `${haic.url}/auth/realms/haic`,
    clients: { platform: 'haic-platform', cli: 'haic-cli' },
    services,
    username: 'ada',
    audience: 'haic',
    party: 'haic-platform',
  });

  for (const mode of ['sync', 'async']) {
    it(`find everything by argument (${mode})`, async () => {
      assert.deepEqual(await use(mode, 'argument', { H2O_CLOUD_CLIENT_PLATFORM_TOKEN: token }), expected());
    });
    it(`find everything by the address of discovery (${mode})`, async () => {
      assert.deepEqual(await use(mode, 'address', { H2O_CLOUD_CLIENT_PLATFORM_TOKEN: token }), expected());
    });
    it(`find everything by the environment (${mode})`, async () => {
      const env = { H2O_CLOUD_ENVIRONMENT: haic.url, H2O_CLOUD_CLIENT_PLATFORM_TOKEN: token };
      assert.deepEqual(await use(mode, 'environment', env), expected());
    });
    it(`find everything by the CLI's configuration file (${mode})`, async () => {
      assert.deepEqual(await use(mode, 'config', { H2OCONFIG: configFile }), expected());
    });
  }

  it('get a clear invalid_grant for a token that is not valid any more', async () => {
    await assert.rejects(
      use('sync', 'argument', { H2O_CLOUD_CLIENT_PLATFORM_TOKEN: 'gone' }),
      /invalid_grant/,
    );
  });

  it('work in parallel from one platform token', async () => {
    const all = Array.from({ length: 4 }, () =>
      use('sync', 'argument', { H2O_CLOUD_CLIENT_PLATFORM_TOKEN: token }),
    );
    for (const found of await Promise.all(all)) assert.equal(found.username, 'ada');
  });

  it('answer the login probe at /version', async () => {
    const response = await fetch(`${haic.url}/version`);
    assert.equal(response.status, 200);
  });
});
