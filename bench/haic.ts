import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeZip } from '@haic/launcher/testing/zip.ts';
import { Browser } from '@haic/services/app-store/router/testing.ts';
import { importBundle, runApp, waitForStatus } from '../test/support/api.ts';
import type { Haic } from '../test/support/haic.ts';

/** An instance of the app that does next to nothing, and a browser that is signed in to it. */
export interface SmallApp {
  readonly instanceId: string;
  readonly host: string;
  /** Where the app itself listens: peers are put in front of the same server. */
  readonly appPort: number;
  /** The cookie of the instance's own host. */
  readonly cookie: string;
}

const manifest = (name: string) =>
  `[App]\nName = "${name}"\nVersion = "1.0.0"\nTitle = "${name}"\n[Runtime]\nModule = "small_reply"\nAppMode = "python"\n`;

/** The files of its bundle, for `makeZip`. */
export async function smallBundle(name: string): Promise<{ name: string; content: string }[]> {
  const program = await readFile(path.join(import.meta.dirname, 'fixtures/small_reply.py'), 'utf8');
  return [
    { name: 'app.toml', content: manifest(name) },
    { name: 'small_reply.py', content: program },
  ];
}

export async function writeSmallBundle(haic: Haic, name: string): Promise<string> {
  const file = path.join(haic.home, `${name}.wave`);
  await writeFile(file, makeZip(await smallBundle(name)));
  return file;
}

export async function startSmallApp(
  haic: Haic,
  token: string,
  password: string,
  visibility: 'PRIVATE' | 'PUBLIC',
): Promise<SmallApp> {
  const file = await writeSmallBundle(haic, `small-${visibility.toLowerCase()}`);
  const app = await importBundle(haic, token, file, visibility);
  const { id } = await runApp(haic, token, app.id, visibility);
  await waitForStatus(haic, token, id, 'DEPLOYED');
  const origin = `http://${id}.localhost:${haic.port}`;
  const browser = new Browser(haic.port);
  await browser.signIn(`${haic.url}/login`, haic.admin.username, password);
  const answer = await browser.open(`${origin}/port`);
  const appPort = Number(answer.body);
  if (!(appPort > 0))
    throw new Error(`The app did not say its port: ${answer.status} ${answer.body.slice(0, 200)}`);
  return {
    instanceId: id,
    host: new URL(origin).host,
    appPort,
    cookie: browser.cookieHeader(new URL(origin)),
  };
}

export async function pidOf(haic: Haic, name: string): Promise<number> {
  const record = JSON.parse(await readFile(path.join(haic.home, 'run', `${name}.json`), 'utf8')) as {
    pid: number;
  };
  return record.pid;
}
