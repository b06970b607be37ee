import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { parse } from 'smol-toml';
import { startCommandLine } from './testing.ts';

/** Of the issuer: to which client it gave which refresh token. */
const issued: Readonly<Record<string, string>> = {
  'of the page': 'haic-cli',
  'of the operator': 'haic-platform',
  'of a client of one’s own': 'corp-cli',
};

/** What `config setup` asks of Haic: discovery, and the token endpoint, which takes a token of its own client alone. */
async function startHaic() {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = new URLSearchParams(await text(request));
    const { address } = here();
    const answer = (status: number, json: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    if (request.url?.endsWith('/environment') === true)
      return answer(200, { environment: { h2oCloudEnvironment: address, issuerUrl: `${address}/auth` } });
    if (request.url?.endsWith('/clients') === true)
      return answer(200, {
        clients: ['cli', 'platform'].map((id) => ({ name: `clients/${id}`, oauth2ClientId: `haic-${id}` })),
      });
    const client = body.get('client_id') ?? '';
    asked.push(client);
    return issued[body.get('refresh_token') ?? ''] === client
      ? answer(200, { access_token: 'an access token', token_type: 'Bearer', expires_in: 300 })
      : answer(400, { error: 'invalid_grant' });
  }).listen(0, '127.0.0.1');
  const here = () => ({ address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  await once(server, 'listening');
  return {
    ...here(),
    asked,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('config setup', () => {
  let haic: Awaited<ReturnType<typeof startHaic>>;
  let cli: Awaited<ReturnType<typeof startCommandLine>>;
  before(async () => {
    haic = await startHaic();
    cli = await startCommandLine(haic.address, 'unused');
  });
  after(async () => {
    await cli[Symbol.asyncDispose]();
    haic.stop();
  });
  const written = async () => ({ ...parse(await readFile(path.join(cli.directory, 'config.toml'), 'utf8')) });
  const setup = (token: string, ...more: readonly string[]) =>
    cli.type(token, 'config', 'setup', '--endpoint', haic.address, ...more);
  const at = () => ({ Endpoint: haic.address, OIDCAddress: `${haic.address}/auth` });

  it('takes the token of the page as that of the command line', async () => {
    const { code, talk } = await setup('of the page');
    assert.equal(code, 0, talk);
    assert.deepEqual(await written(), { ...at(), ClientID: 'haic-cli', Token: 'of the page' });
  });

  it('takes a platform token, as `./haic token` prints it, for what it is, without being told', async () => {
    const { code, talk } = await setup('of the operator');
    assert.equal(code, 0, talk);
    assert.match(talk, /This is a platform token/);
    assert.deepEqual(await written(), {
      ...at(),
      ...{ PlatformClientID: 'haic-platform', PlatformToken: 'of the operator' },
    });
  });

  it('tries no other client than the one that it was told', async () => {
    haic.asked.length = 0;
    assert.equal((await setup('of a client of one’s own', '--client-id', 'corp-cli')).code, 0);
    assert.equal((await setup('of the operator', '--client-id', 'corp-cli')).code, 4);
    assert.deepEqual(haic.asked, ['corp-cli', 'corp-cli']);
    assert.equal((await written()).ClientID, 'corp-cli');
  });

  it('writes nothing for a token that is nobody’s', async () => {
    await setup('of the page');
    const { code, talk } = await setup('nonsense');
    assert.equal(code, 4);
    assert.match(talk, /no longer valid.*\/auth\/get-token/);
    assert.equal((await written()).Token, 'of the page');
  });

  it('has an update with a token of the other kind say which command takes it', async () => {
    await setup('of the page');
    const wrong = await cli.type('of the operator', 'config', 'update-token');
    assert.match(wrong.talk, /This is a platform token\. Take it by: \S+ config update-platform-token/);
    assert.equal((await cli.type('of the operator', 'config', 'update-platform-token')).code, 0);
    const other = await cli.type('of the page', 'config', 'update-platform-token');
    assert.match(other.talk, /This is a token of the command line\. Take it by: \S+ config update-token/);
    assert.deepEqual([wrong.code, other.code], [2, 2]);
    assert.deepEqual(await written(), {
      ...at(),
      ...{ ClientID: 'haic-cli', Token: 'of the page' },
      ...{ PlatformClientID: 'haic-platform', PlatformToken: 'of the operator' },
    });
  });
});
