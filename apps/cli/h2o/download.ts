import { createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { deadline } from '@haic/kit/deadline.ts';
import { LaunchFailure } from '@haic/launcher/failure.ts';
import { unzip } from '@haic/launcher/unzip.ts';
import { CommandError, output, say } from '../terminal.ts';
import type { Api, App } from './api.ts';
import { appPath } from './apps.ts';
import { commandName } from './command-name.ts';

const twoHours = 2 * 60 * 60_000;

/**
 * Brings an app's bundle as `<name>.<version>.wave`, or with `extract` its files as the folder `<name>.<version>`; `target` is another
 * name, or an existing folder to put it in. Never writes over what is there. Prints the path.
 */
export async function downloadApp(
  api: Api,
  id: string,
  options: { target: string | undefined; extract: boolean; json: boolean },
): Promise<void> {
  const place = appPath(id);
  const app = await api.json<App>('GET', place);
  const name = `${app.name}.${app.version}${options.extract ? '' : '.wave'}`;
  const target = await targetOf(options.target, name);
  const signal = deadline(twoHours);
  const archive = `${target}.${process.pid}.tmp`;
  const folder = `${archive}.d`;
  try {
    await pipeline(
      Readable.from(await api.stream(`${place}/bundle`, signal)),
      createWriteStream(archive, { flags: 'wx' }),
      { signal },
    );
    if (options.extract) {
      await mkdir(folder);
      await unzip(archive, folder, { signal });
    }
    await refuseExisting(target);
    await rename(options.extract ? folder : archive, target);
  } catch (error) {
    throw error instanceof LaunchFailure ? new CommandError(error.message) : error;
  } finally {
    await rm(archive, { force: true });
    await rm(folder, { recursive: true, force: true });
  }
  output(options.json, { path: target }, () => target);
  say(options.extract ? `Change it and try it: ${commandName} bundle deploy ${target}` : 'Downloaded.');
}

async function targetOf(wanted: string | undefined, name: string): Promise<string> {
  const resolved = path.resolve(wanted ?? '.');
  const isFolder = (await stat(resolved).catch(() => undefined))?.isDirectory() === true;
  const target = wanted === undefined || isFolder ? path.join(resolved, name) : resolved;
  await refuseExisting(target);
  return target;
}

async function refuseExisting(target: string): Promise<void> {
  const exists = await access(target).then(
    () => true,
    () => false,
  );
  if (exists) throw new CommandError(`${target} exists already. Remove it, or name another path.`);
}
