import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { callApi, importBundle, instanceLog, runApp, waitForStatus } from '../../test/support/api.ts';
import { bundleSample, execute, type Haic, startHaic } from '../../test/support/haic.ts';

/** An authority of one's own, and a certificate of it for localhost and every instance. */
async function makeCertificates(directory: string) {
  const at = (name: string) => path.join(directory, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const authority = ['-subj', '/CN=Test authority', '-addext', 'basicConstraints=critical,CA:TRUE'];
  await execute('openssl', [
    ...['req', '-x509', ...newKey, '-days', '2', '-keyout', at('ca.key'), '-out', at('ca.pem'), ...authority],
  ]);
  await execute('openssl', [
    ...['req', ...newKey, '-keyout', at('key.pem'), '-out', at('request.pem'), '-subj', '/CN=localhost'],
  ]);
  await writeFile(at('extensions'), 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1\n');
  await execute('openssl', [
    ...[
      'x509',
      '-req',
      '-in',
      at('request.pem'),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
    ],
    ...['-days', '2', '-extfile', at('extensions'), '-out', at('cert.pem')],
  ]);
  return { certificate: at('cert.pem'), key: at('key.pem'), authority: at('ca.pem') };
}

describe('Haic behind a certificate of one’s own authority', () => {
  let directory: string;
  let haic: Haic;
  let token: string;
  const cookies = new Map<string, string>();

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'haic-tls-'));
    const files = await makeCertificates(directory);
    setDefaultCACertificates([...getCACertificates('default'), await readFile(files.authority, 'utf8')]);
    haic = await startHaic({
      HAIC_HOST: '0.0.0.0',
      HAIC_TLS_CERT: files.certificate,
      HAIC_TLS_KEY: files.key,
      HAIC_CA_FILE: files.authority,
    });
  });
  after(async () => {
    await haic?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** One request of a browser: cookies by name (all of one host), no redirect followed. */
  const ask = (url: string, form?: Record<string, string>) =>
    new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
      const body = form === undefined ? undefined : new URLSearchParams(form).toString();
      const asked = request(
        url,
        {
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            accept: 'text/html',
            cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
            ...(body === undefined
              ? {}
              : { origin: new URL(url).origin, 'content-type': 'application/x-www-form-urlencoded' }),
          },
        },
        async (response) => {
          for (const line of response.headers['set-cookie'] ?? []) {
            const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
            if (value === '') cookies.delete(name);
            else cookies.set(name, value);
          }
          let text = '';
          for await (const chunk of response) text += String(chunk);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        },
      );
      asked.once('error', reject);
      asked.end(body);
    });

  it('the public address is https, for people, programs and discovery', async () => {
    const discovery = await fetch(`${haic.url}/auth/realms/haic/.well-known/openid-configuration`);
    const { issuer, token_endpoint } = (await discovery.json()) as { issuer: string; token_endpoint: string };
    assert.match(haic.url, /^https:/);
    assert.equal(issuer, `${haic.url}/auth/realms/haic`);
    assert.ok(token_endpoint.startsWith(issuer));
    token = await haic.accessToken('admin');
    const me = await callApi<{ username: string }>(haic, token, 'GET', '/api/v1/me');
    assert.deepEqual([me.status, me.body.username], [200, 'admin']);
  });

  it('`status` knows how to ask, also without the flags of `up`', async () => {
    const env = { HAIC_HOST: '', HAIC_TLS_CERT: '', HAIC_TLS_KEY: '' };
    const status = await haic.cli(['status', '--json'], { env });
    assert.equal(status.code, 0, status.stdout + status.stderr);
    assert.equal((JSON.parse(status.stdout) as { url: string }).url, haic.url);
  });

  it('a person signs in; the session cookie is __Host-, Secure, HttpOnly and SameSite', async () => {
    let answer = await ask(`${haic.url}/login?next=/`);
    let url = `${haic.url}/login`;
    const follow = async () => {
      while (answer.headers.location !== undefined) {
        url = new URL(answer.headers.location, url).href;
        answer = await ask(url);
      }
    };
    await follow();
    assert.match(answer.body, /name="password"/);
    answer = await ask(url, haic.admin);
    const seen: string[] = [];
    while (answer.headers.location !== undefined) {
      url = new URL(answer.headers.location, url).href;
      answer = await ask(url);
      seen.push(...(answer.headers['set-cookie'] ?? []));
    }
    const session = seen.find((line) => line.startsWith('__Host-haic_session='));
    assert.match(session ?? '', /; Path=\/(;|$)/i);
    for (const attribute of [/; Secure/i, /; HttpOnly/i, /; SameSite=Lax/i])
      assert.match(session ?? '', attribute);
    assert.doesNotMatch(session ?? '', /Domain/i);
    const who = await ask(`${haic.url}/session`);
    assert.equal(JSON.parse(who.body).username, 'admin');
  });

  it('what signs out at the issuer ends the portal’s session: the notification goes over https too', async () => {
    await haic.run(['user', 'passwd', 'admin']);
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const who = JSON.parse((await ask(`${haic.url}/session`)).body) as { signedIn: boolean };
      if (!who.signedIn) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail('The session is still there.');
  });

  it('the CLI works by its configuration, and says 4 to who has no valid token', async () => {
    const conf = path.join(directory, 'cli.toml');
    const platform = (await haic.run(['token', '--user', 'admin'])).trim();
    await writeFile(
      conf,
      `Endpoint = "${haic.url}"\nPlatformClientID = "haic-platform"\nPlatformToken = "${platform}"\n`,
    );
    const list = await haic.cli(['app', 'list', '--json', '--conf', conf]);
    assert.deepEqual([list.code, JSON.parse(list.stdout)], [0, []], list.stderr);
    await writeFile(
      conf,
      `Endpoint = "${haic.url}"\nPlatformClientID = "haic-platform"\nPlatformToken = "gone"\n`,
    );
    assert.equal((await haic.cli(['app', 'list', '--conf', conf])).code, 4);
  });

  it('the command line for download says what to do about the authority, and trusts it by flag or environment', async () => {
    const file = path.join(haic.home, 'bin', 'h2o');
    const conf = path.join(directory, 'download.toml');
    const platform = (await haic.run(['token', '--user', 'admin'])).trim();
    const secret = `PlatformClientID = "haic-platform"\nPlatformToken = "${platform}"\n`;
    await writeFile(conf, `Endpoint = "${haic.url}"\n${secret}`);
    const list = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
      execute(file, ['app', 'list', '--all', '--json', '--conf', conf, ...args], {
        PATH: process.env.PATH,
        ...env,
      });
    await assert.rejects(list([]), /certificate of https:.* is not trusted .*--ca FILE/);
    const authority = path.join(directory, 'ca.pem');
    assert.equal(await list(['--ca', authority]), '[]\n');
    for (const name of ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'])
      assert.equal(await list([], { [name]: authority }), '[]\n');
  });

  it('an app that asks for OIDC starts: launcher and Wave server trust the authority', async () => {
    token = await haic.accessToken('admin');
    const app = await importBundle(haic, token, await bundleSample(haic, 'who-am-i'));
    const { id } = await runApp(haic, token, app.id);
    await waitForStatus(haic, token, id, 'DEPLOYED', 60);
    assert.doesNotMatch(await instanceLog(haic, token, id), /x509|certificate/i);
    const inPlace = await fetch(`${haic.url}/instance/${id}/`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'manual',
    });
    // The Wave server's own answer: who comes by a token has no session there, and is sent to sign in.
    assert.match(inPlace.headers.get('location') ?? String(inPlace.status), /\/_auth\/login/);
  });
});

describe('a listener that would be unsafe or cannot work', () => {
  const refused = async (args: readonly string[]) => {
    const home = await mkdtemp(path.join(tmpdir(), 'haic-unsafe-'));
    try {
      await execute(
        process.execPath,
        [path.join(import.meta.dirname, 'main.ts'), 'up', '--detach', '--port', '28391', ...args],
        { ...process.env, HAIC_HOME: home },
      );
    } catch (error) {
      return String(error);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
    return assert.fail('It was not refused.');
  };

  it('is refused without TLS on any address but loopback, before anything is started', async () => {
    const said = await refused(['--host', '0.0.0.0']);
    assert.match(said, /does not listen on 0\.0\.0\.0 without TLS.*--tls-cert and --tls-key/);
    assert.doesNotMatch(said, /Starting Haic/);
  });

  it('is refused with half of certificate and key, or a file that is none', async () => {
    assert.match(await refused(['--host', '0.0.0.0', '--tls-cert', '/etc/hostname']), /give both/);
    const nonsense = ['--tls-cert', '/etc/hostname', '--tls-key', '/etc/hostname'];
    assert.match(await refused(nonsense), /cannot be used as certificate and key/);
    const missing = ['--tls-cert', '/nowhere/cert.pem', '--tls-key', '/nowhere/key.pem'];
    assert.match(await refused(missing), /cert\.pem cannot be read/);
  });
});
