import { createReadStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { age, confirm, print, record, say, table } from '../terminal.ts';
import type { Api, App, Instance } from './api.ts';

export async function listApps(api: Api, options: { all: boolean; json: boolean }): Promise<void> {
  const { username } = await api.json<{ username: string }>('GET', '/api/v1/me');
  const visible = await api.all<App>('/api/v1/apps?versions=all');
  const apps = options.all ? visible : visible.filter((app) => app.owner.username === username);
  const newestFirst = [...apps].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  if (options.json) return print(JSON.stringify(newestFirst, undefined, 2));
  const rows = newestFirst.map((app) => [
    app.id,
    `${app.title} ${app.version}`,
    app.owner.username,
    age(app.createdAt),
    app.visibility,
    app.tags.join(','),
  ]);
  print(table(['ID', 'TITLE', 'OWNER', 'CREATED', 'VISIBILITY', 'TAGS'], rows));
}

export async function importApp(
  api: Api,
  file: string,
  options: { visibility: string; json: boolean },
): Promise<App> {
  const app = await api.json<App>(
    'POST',
    `/api/v1/apps?visibility=${encodeURIComponent(options.visibility)}`,
    {
      body: Readable.toWeb(createReadStream(file)) as ReadableStream,
      headers: {
        'content-type': 'application/octet-stream',
        'x-haic-file-name': encodeURIComponent(path.basename(file)),
      },
    },
  );
  printApp(app, options.json);
  say(`Imported. Run it: ./haic app run ${app.id}`);
  return app;
}

export async function getApp(api: Api, id: string, options: { json: boolean }): Promise<void> {
  printApp(await api.json<App>('GET', `/api/v1/apps/${encodeURIComponent(id)}`), options.json);
}

export async function runApp(
  api: Api,
  id: string,
  options: { visibility: string; json: boolean },
): Promise<void> {
  const instance = await api.json<Instance>('POST', `/api/v1/apps/${encodeURIComponent(id)}/instances`, {
    json: { visibility: options.visibility },
  });
  if (options.json) print(JSON.stringify(instance, undefined, 2));
  else
    print(
      record([
        ['ID', instance.id],
        ['URL', instance.url],
      ]),
    );
  say(`It starts now. Watch it: ./haic instance logs -f ${instance.id}`);
}

export async function deleteApp(api: Api, id: string, options: { yes: boolean }): Promise<void> {
  if (!options.yes) await confirm(`Delete app ${id} for good?`, '--yes');
  await api.json('DELETE', `/api/v1/apps/${encodeURIComponent(id)}`);
  say(`App ${id} is deleted.`);
}

function printApp(app: App, json: boolean): void {
  if (json) {
    print(JSON.stringify(app, undefined, 2));
    return;
  }
  print(
    record([
      ['ID', app.id],
      ['Title', app.title],
      ['Version', app.version],
      ['Created At', app.createdAt],
      ['Updated At', app.updatedAt],
      ['Owner', app.owner.username],
      ['Visibility', app.visibility],
      ['Description', app.description],
      ['Tags', app.tags.join(',')],
    ]),
  );
}
