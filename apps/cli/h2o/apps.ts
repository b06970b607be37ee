import { createReadStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { age, confirm, print, record, say, table } from '../terminal.ts';
import type { Api, App, Instance } from './api.ts';

export async function listApps(api: Api, options: { all: boolean; json: boolean }): Promise<void> {
  const apps = await api.all<App>(`/api/v1/apps?versions=all${options.all ? '' : '&mine=true'}`);
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

const upload = (api: Api, file: string, visibility: string): Promise<App> =>
  api.json<App>('POST', `/api/v1/apps?visibility=${encodeURIComponent(visibility)}`, {
    body: Readable.toWeb(createReadStream(file)) as ReadableStream,
    headers: {
      'content-type': 'application/octet-stream',
      'x-haic-file-name': encodeURIComponent(path.basename(file)),
    },
  });

const start = (api: Api, id: string, visibility: string): Promise<Instance> =>
  api.json<Instance>('POST', `/api/v1/apps/${encodeURIComponent(id)}/instances`, { json: { visibility } });

export async function importApp(
  api: Api,
  file: string,
  options: { visibility: string; json: boolean },
): Promise<App> {
  const app = await upload(api, file, options.visibility);
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
  const instance = await start(api, id, options.visibility);
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

export async function updateApp(
  api: Api,
  id: string,
  options: { visibility: string; json: boolean },
): Promise<void> {
  const json = { visibility: options.visibility };
  printApp(await api.json<App>('PATCH', `/api/v1/apps/${encodeURIComponent(id)}`, { json }), options.json);
}

/** Imports a bundle and runs it at once. What was imported is said even when it cannot be run. */
export async function deployApp(
  api: Api,
  file: string,
  options: { visibility: string; json: boolean },
): Promise<void> {
  const app = await upload(api, file, options.visibility);
  if (!options.json) printApp(app, false);
  const instance = await start(api, app.id, options.visibility);
  if (options.json) print(JSON.stringify({ app, instance }, undefined, 2));
  else
    print(
      record([
        ['Instance ID', instance.id],
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
