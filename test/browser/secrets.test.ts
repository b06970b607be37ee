import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeCliConfig } from '@haic/cli/h2o/config-file.ts';
import { deadline, until } from '@haic/kit/deadline.ts';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import type { Page } from 'playwright-core';
import { type BrowserProfile, fillSignIn, openBrowser } from '../support/browser.ts';
import { type Haic, startHaic } from '../support/haic.ts';
import { picture } from './support.ts';

/** Nobody may meet these but the app. */
const canary = {
  password: `canary-${randomBytes(12).toString('hex')}`,
  file: `canary-${randomBytes(12).toString('hex')}`,
  team: `canary-${randomBytes(12).toString('hex')}`,
};

/** Tells that it has its secrets, by their length, and prints them, as a careless app would. */
const appCode = `
import http.server, os
password, team = os.environ['DB_PASSWORD'], os.environ['TEAM_TOKEN']
certificate = open('certificates/ca.pem').read()
print('connecting with ' + password + ' and ' + team + ' and ' + certificate, flush=True)
page = '<h1>%d, %d and %d characters</h1>' % (len(password), len(certificate), len(team))
class Teller(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header('content-type', 'text/html'); self.end_headers()
        self.wfile.write(page.encode())
http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), Teller).serve_forever()
`;
const told = `${canary.password.length}, ${canary.file.length} and ${canary.team.length} characters`;

const bundle = (teamSecret: string, version = '1.0.0') =>
  makeZip([
    {
      name: 'app.toml',
      content: `[App]
Name = "org.example.report"
Version = "${version}"
Title = "Report"
[Runtime]
Module = "report"
AppMode = "python"
[[Env]]
Name = "DB_PASSWORD"
Secret = "warehouse"
SecretKey = "password"
[[Env]]
Name = "TEAM_TOKEN"
Secret = "${teamSecret}"
SecretKey = "value"
[[Env]]
Name = "EXTRA"
Secret = "not-there"
SecretKey = "k"
Optional = true
[[File]]
Path = "certificates/ca.pem"
Secret = "warehouse"
SecretKey = "ca.pem"
`,
    },
    { name: 'report.py', content: appCode },
  ]);

describe('a secret, from the portal to an app', () => {
  let haic: Haic;
  const profiles: BrowserProfile[] = [];
  const tokens: Record<string, string> = {};
  const subjects: Record<string, string> = {};
  let ada: Page;
  let ben: Page;
  let workspace = '';
  let appId = '';
  const instances: Record<string, string> = {};

  before(async () => {
    haic = await startHaic();
    ada = await signedIn('ada', await haic.addUser('ada'));
    ben = await signedIn('ben', await haic.addUser('ben'));
    await haic.addUser('carl');
    for (const name of ['ada', 'ben', 'carl', 'admin']) {
      const token = await haic.accessToken(name);
      tokens[name] = token;
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      subjects[name] = (claims as { sub: string }).sub;
    }
  });
  after(async () => {
    for (const profile of profiles) await profile.close();
    await haic?.stop();
  });

  async function signedIn(name: string, password: string): Promise<Page> {
    const profile = await openBrowser();
    profiles.push(profile);
    const page = await profile.page();
    await page.goto(haic.url);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await fillSignIn(page, name, password);
    await page.getByRole('heading', { name: 'App Store' }).waitFor();
    return page;
  }

  /** As that person by a token. */
  async function ask(who: string, method: string, at: string, body?: unknown) {
    const isBundle = Buffer.isBuffer(body);
    const response = await fetch(haic.url + at, {
      method,
      headers: {
        authorization: `Bearer ${tokens[who]}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isBundle ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isBundle ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, text, json: isJson ? JSON.parse(text) : {} };
  }

  test('is kept by a person in the portal', async () => {
    await ada.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Secrets' }).click();
    await ada.getByRole('button', { name: 'Keep a secret' }).click();
    await ada.getByRole('textbox', { name: 'Name' }).fill('warehouse');
    await ada.getByRole('textbox', { name: 'Key 1' }).fill('password');
    await ada.getByRole('textbox', { name: 'Value 1' }).fill(canary.password);
    await ada.getByRole('button', { name: 'Add a key' }).click();
    await ada.getByRole('textbox', { name: 'Key 2' }).fill('ca.pem');
    const chooser = ada.waitForEvent('filechooser');
    await ada.getByRole('button', { name: 'Value 2 from a file' }).click();
    await (await chooser).setFiles({
      name: 'ca.pem',
      mimeType: 'application/x-pem-file',
      buffer: Buffer.from(canary.file),
    });
    await ada.getByRole('button', { name: 'Keep it' }).click();
    await ada.getByRole('row').filter({ hasText: 'warehouse' }).waitFor();
    await picture(ada, 'secrets-page');
  });

  test('of a team is in a workspace, where a colleague may use it', async () => {
    const made = await ask('ada', 'POST', '/authz/v1/workspaces', { displayName: 'Reports' });
    assert.equal(made.status, 200, made.text);
    workspace = made.json.workspace.name;
    const member = { member: `users/${subjects.ben}`, role: 'ROLE_VIEWER' };
    const added = await ask('ada', 'POST', `/authz/v1/${workspace}/members`, member);
    assert.equal(added.status, 200, added.text);
    const secret = await ask('ada', 'POST', `/secure-store/v1/${workspace}/secrets?secretId=token`, {});
    assert.equal(secret.status, 200, secret.text);
    const value = Buffer.from(canary.team).toString('base64');
    const version = await ask('ada', 'POST', `/secure-store/v1/${workspace}/secrets/token/versions`, {
      value,
    });
    assert.equal(version.status, 200, version.text);
  });

  test('is put into an app by who may read it, and by nobody else', async () => {
    const team = `${workspace}/secrets/token`;
    for (const who of ['ben', 'carl', 'admin']) {
      const { status, json } = await ask(who, 'POST', '/api/v1/apps', bundle(team));
      assert.equal(status, 400, `${who} ${json.detail}`);
      const keys = (json.details.problems as { key: string; message: string }[]).map(({ key }) => key);
      assert.deepEqual(keys, ['Env[1].Secret', 'Env[2].Secret', 'File[1].Secret']);
      const [, ofTeam] = json.details.problems as { message: string }[];
      assert.match(ofTeam?.message ?? '', who === 'ben' ? /viewer of the workspace/ : /There is no secret/);
    }
    const imported = await ask('ada', 'POST', '/api/v1/apps?visibility=ALL_USERS', bundle(team));
    assert.equal(imported.status, 201, imported.text);
    appId = imported.json.id;
  });

  async function runIn(page: Page, who: string): Promise<void> {
    await page.goto(`${haic.url}/apps/${appId}`);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click();
    await page.waitForURL(/\/instances\/[0-9a-f-]{36}$/);
    instances[who] = page.url().split('/').at(-1) ?? '';
    await page.getByRole('heading', { name: told }).waitFor({ timeout: 120_000 });
  }

  test('reaches the app of its owner, and of the colleague who may use it', async () => {
    await runIn(ada, 'ada');
    await runIn(ben, 'ben');
  });

  test('reaches nobody who is not in its workspace, who is told so', async () => {
    const { status, json } = await ask('carl', 'POST', `/api/v1/apps/${appId}/instances`, {});
    assert.deepEqual([status, json.code], [422, 'secret_unavailable']);
    assert.match(
      json.detail,
      /Report cannot start now\. For the variable TEAM_TOKEN: .*Only members of its workspace/,
    );
  });

  test('is read by who keeps it, and by nobody who may only use it: not by API, portal or command line', async () => {
    const reveal = `/secure-store/v1/${workspace}/secrets/token/versions/latest:revealValue`;
    assert.equal((await ask('ben', 'GET', `/secure-store/v1/${workspace}/secrets/token`)).status, 200);
    const refused = await ask('ben', 'GET', reveal);
    assert.equal(refused.status, 403);
    assert.doesNotMatch(refused.text, /canary/);
    for (const who of ['carl', 'admin']) assert.equal((await ask(who, 'GET', reveal)).status, 404, who);
    for (const who of ['ben', 'carl', 'admin'])
      assert.equal((await ask(who, 'POST', '/api/v1/secrets/warehouse/reveal')).status, 404, who);

    await ben.goto(`${haic.url}/secrets`);
    await ben.getByText('No secrets yet').waitFor();
    await ben.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Reports (Viewer)' });
    await ben.getByText('You are a viewer here').waitFor();
    await ben.getByRole('button', { name: 'Actions for token' }).click();
    await ben.getByRole('menuitem', { name: 'Versions' }).click();
    await ben.getByText('v1 (what apps get)').waitFor();
    await picture(ben, 'secrets-viewer');
    assert.equal(await ben.getByRole('button', { name: /^Show/ }).count(), 0);
    const throughPortal = await ben.evaluate(async (at) => {
      const response = await fetch(at);
      return { status: response.status, text: await response.text() };
    }, `/api/services${reveal}`);
    assert.equal(throughPortal.status, 403, throughPortal.text);
    assert.doesNotMatch(throughPortal.text, /canary/);

    const conf = path.join(haic.home, 'cli-of-ben.toml');
    await writeCliConfig(conf, {
      Endpoint: haic.url,
      OIDCAddress: `${haic.url}/auth/realms/haic`,
      PlatformClientID: 'haic-platform',
      PlatformToken: (await haic.run(['token', '--user', 'ben'])).trim(),
    });
    const byCommand = await haic.cli(['secret', 'get', 'warehouse', '-e', '--conf', conf]);
    assert.equal(byCommand.code, 1);
    assert.match(byCommand.stderr, /does not exist, or you may not see it/);
    assert.equal((await haic.cli(['secret', 'list', '--conf', conf])).code, 0);

    await ada.goto(`${haic.url}/secrets`);
    await ada.getByRole('button', { name: 'Actions for warehouse' }).click();
    await ada.getByRole('menuitem', { name: 'Show values' }).click();
    await ada.getByRole('button', { name: 'Show the values' }).click();
    await ada.getByText(canary.password).waitFor();
  });

  test('is not deleted while the app uses it', async () => {
    await ada.goto(`${haic.url}/secrets`);
    await ada.getByRole('button', { name: 'Actions for warehouse' }).click();
    await ada.getByRole('menuitem', { name: 'Delete' }).click();
    const users = ada.getByRole('list', { name: 'Apps that use it' });
    await users.getByText('Report 1.0.0').waitFor();
    await picture(ada, 'secrets-used');
    const { status, json } = await ask('ada', 'DELETE', '/api/v1/secrets/warehouse?visibility=PRIVATE');
    assert.deepEqual([status, json.code], [409, 'secret_in_use']);
  });

  test('leaves a trail of every reading', async () => {
    const expected = [
      ['actions/securestore/versions/USE', 'ada', /secrets\/warehouse/],
      ['actions/securestore/versions/USE', 'ada', /secrets\/token/],
      ['actions/securestore/versions/USE', 'ben', /secrets\/warehouse/],
      ['actions/securestore/versions/USE', 'ben', /secrets\/token/],
      ['actions/securestore/versions/REVEALVALUE', 'ada', /secrets\/warehouse/],
    ] as const;
    interface Event {
      readonly action: string;
      readonly principal: string;
      readonly resource: string;
      readonly metadata: Record<string, string>;
    }
    const events = await until(
      async () => {
        const filter = { actionRegex: 'securestore/versions/(USE|REVEALVALUE)' };
        const { json, text } = await ask('admin', 'POST', '/audit-trail/v1/events:search', {
          filter,
          pageSize: 100,
        });
        assert.ok(Array.isArray(json.events), text);
        const found = json.events as Event[];
        return expected.every(([action, who, resource]) => found.some((e) => is(e, action, who, resource)))
          ? found
          : undefined;
      },
      { everyMs: 500, signal: deadline(60_000) },
    );
    function is(event: Event, action: string, who: string, resource: RegExp): boolean {
      return (
        event.action === action &&
        event.principal === `users/${subjects[who]}` &&
        resource.test(event.resource)
      );
    }
    const use = events.find((event) => is(event, 'actions/securestore/versions/USE', 'ben', /warehouse/));
    assert.deepEqual(
      [use?.metadata.app, use?.metadata.instance, use?.metadata.keys, use?.metadata.importer],
      ['org.example.report', instances.ben, 'password,ca.pem', 'ada'],
    );
    assert.doesNotMatch(JSON.stringify(events), /canary/);
  });

  test('is in no file, log, answer or process but those of the app', async () => {
    const forms = Object.values(canary).flatMap((value) => [
      Buffer.from(value),
      Buffer.from(Buffer.from(value).toString('hex')),
      Buffer.from(Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -2)),
    ]);
    const holds = (bytes: Buffer) => forms.some((form) => bytes.includes(form));
    const holders: string[] = [];
    let files = 0;
    for await (const file of filesBelow(haic.home)) {
      files += 1;
      if (holds(await readFile(file).catch(() => Buffer.alloc(0)))) holders.push(file);
    }
    assert.ok(files > 100);
    assert.deepEqual(holders, []);

    const processes: string[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const command = await readFile(`/proc/${pid}/cmdline`).catch(() => Buffer.alloc(0));
      assert.ok(!holds(command), command.toString());
      const environment = await readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0));
      if (holds(environment)) processes.push(command.toString().replaceAll('\0', ' '));
    }
    // The app itself, once for each of the two who run it.
    assert.deepEqual(
      processes.map((command) => /python\S* -m report/.test(command)),
      [true, true],
    );

    for (const who of ['ada', 'ben', 'admin'])
      for (const at of [
        `/api/v1/apps/${appId}`,
        `/api/v1/instances/${instances.ben}`,
        `/api/v1/instances/${instances.ada}`,
        `/api/v1/instances/${instances.ada}/logs`,
        '/api/v1/secrets',
        `/secure-store/v1/${workspace}/secrets`,
      ]) {
        const response = await fetch(haic.url + at, { headers: { authorization: `Bearer ${tokens[who]}` } });
        assert.ok(!holds(Buffer.from(await response.arrayBuffer())), `${who} ${at}`);
      }
    const log = await haic.run(['logs']);
    assert.ok(!holds(Buffer.from(log)));
  });

  test('changes with the next start, and what a colleague may no longer use is refused then', async () => {
    const changed = await ask('ada', 'PUT', '/api/v1/secrets/warehouse?visibility=PRIVATE', {
      values: { password: 'short' },
      keep: ['ca.pem'],
    });
    assert.equal(changed.status, 200, changed.text);
    const again = async (who: string) => {
      for (const act of ['suspend', 'resume'])
        await until(
          async () => {
            const { status } = await ask(who, 'POST', `/api/v1/instances/${instances[who]}/${act}`);
            return status === 200 ? true : undefined;
          },
          { everyMs: 300, signal: deadline(30_000) },
        );
    };
    await again('ada');
    await ada.goto(`${haic.url}/instances/${instances.ada}?open=1`);
    await until(
      async () => {
        const { text } = await ask('ada', 'GET', `/api/v1/instances/${instances.ada}/logs`);
        return /connecting with short and/.test(text) ? true : undefined;
      },
      { everyMs: 500, signal: deadline(90_000) },
    );

    const { json } = await ask('ada', 'GET', `/authz/v1/${workspace}/members`);
    const bens = (json.members as { name: string; member: string }[]).find(
      ({ member }) => member === `users/${subjects.ben}`,
    );
    assert.equal((await ask('ada', 'DELETE', `/authz/v1/${bens?.name}`)).status, 200);
    await again('ben');
    const failure = await until(
      async () => {
        const instance = (await ask('ben', 'GET', `/api/v1/instances/${instances.ben}`)).json;
        return instance.status === 'FAILED' ? (instance.message as string) : undefined;
      },
      { everyMs: 500, signal: deadline(90_000) },
    );
    assert.match(
      failure,
      /Report gets no secrets\. For the variable TEAM_TOKEN: .*Only members of its workspace/,
    );
  });
});

/** Regular files; what goes away meanwhile is passed over. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  for (const name of await readdir(folder).catch(() => [])) {
    const place = path.join(folder, name);
    const facts = await lstat(place).catch(() => undefined);
    if (facts?.isDirectory()) yield* filesBelow(place);
    else if (facts?.isFile()) yield place;
  }
}
