import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import {
  age,
  CommandError,
  confirmOnTerminal,
  exitCodes,
  output,
  print,
  record,
  say,
  table,
} from '../terminal.ts';
import type { Api, App, Instance } from './api.ts';
import { commandName } from './command-name.ts';
import { appRecord, preconditionWord, sayPrecondition } from './present.ts';

export const appPath = (id: string): string => `/api/v1/apps/${encodeURIComponent(id)}`;
const twoHours = 2 * 60 * 60_000;

export async function listApps(
  api: Api,
  options: { all: boolean; precondition: boolean; json: boolean },
): Promise<void> {
  const apps = await api.all<App>(`/api/v1/apps?versions=all${options.all ? '' : '&mine=true'}`);
  const newestFirst = [...apps].sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  const more = options.precondition;
  output(options.json, newestFirst, () =>
    table(
      ['ID', 'TITLE', 'OWNER', 'CREATED', 'VISIBILITY', 'TAGS', ...(more ? ['PRECONDITION'] : [])],
      newestFirst.map((app) => [
        app.id,
        `${app.title} ${app.version}`,
        app.owner.username,
        age(app.createdAt),
        app.visibility,
        app.tags.join(','),
        ...(more ? [preconditionWord(app)] : []),
      ]),
    ),
  );
  if (apps.length === 0 && !options.all)
    say(`You have imported no app. What others share: ${commandName} app list --all`);
}

/** Sends a bundle to the store; it is checked there. */
export async function uploadBundle(api: Api, file: string, visibility: string): Promise<App> {
  await stat(file).catch(() => {
    throw new CommandError(
      `There is no ${file}. Write it with: ${commandName} bundle [directory]`,
      exitCodes.usage,
    );
  });
  return api.json<App>('POST', `/api/v1/apps?visibility=${encodeURIComponent(visibility)}`, {
    body: Readable.toWeb(createReadStream(file)) as ReadableStream,
    headers: {
      'content-type': 'application/octet-stream',
      'x-haic-file-name': encodeURIComponent(path.basename(file)),
    },
    timeoutMs: twoHours,
  });
}

export const startInstance = (api: Api, id: string, visibility: string): Promise<Instance> =>
  api.json<Instance>('POST', `${appPath(id)}/instances`, { json: { visibility } });

export async function importApp(
  api: Api,
  file: string,
  options: { visibility: string; json: boolean },
): Promise<void> {
  const app = await uploadBundle(api, file, options.visibility);
  output(options.json, app, () => appRecord(app));
  sayPrecondition(app);
  say(`Imported. Run it: ${commandName} app run ${app.id}`);
}

export async function getApp(api: Api, id: string, options: { json: boolean }): Promise<void> {
  const app = await api.json<App>('GET', appPath(id));
  output(options.json, app, () => appRecord(app));
  sayPrecondition(app);
}

export async function runApp(
  api: Api,
  id: string,
  options: { visibility: string; json: boolean },
): Promise<void> {
  const instance = await startInstance(api, id, options.visibility);
  output(options.json, instance, () =>
    record([
      ['ID', instance.id],
      ['URL', instance.url],
    ]),
  );
  say(`It starts now. Watch it: ${commandName} instance logs -f ${instance.id}`);
}

export async function updateApp(
  api: Api,
  id: string,
  { visibility, owner, json }: { visibility?: string; owner?: string; json: boolean },
): Promise<void> {
  const app = await api.json<App>('PATCH', appPath(id), { json: { visibility, owner } });
  output(json, app, () => appRecord(app));
}

export async function deleteApp(
  api: Api,
  id: string,
  options: { yes: boolean; json: boolean },
): Promise<void> {
  await confirmOnTerminal(`Delete app ${id} for good?`, options.yes);
  await api.json('DELETE', appPath(id));
  if (options.json) print(JSON.stringify({ id }));
  say(`App ${id} is deleted.`);
}
