import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentOfRunning } from '../../apps/cli/operate/backup/running.ts';
import { driveUrlOf } from './drive.ts';
import { freePorts, type Haic } from './haic.ts';

const server = path.join(import.meta.dirname, '../../apps/server/main.ts');

/** A Drive beside a Haic's own: the same people, workspaces and keys, its objects in another store. */
export interface DriveElsewhere {
  readonly url: string;
  /** A Haic's address at which discovery names this Drive. */
  readonly environmentUrl: string;
  /** For the test's output: which process serves, and by what settings. */
  readonly name: string;
  stop(): Promise<void>;
}

/** `store`: `HAIC_BLOB_STORE` and what its client is told by the environment. */
export async function startDriveElsewhere(haic: Haic, store: NodeJS.ProcessEnv): Promise<DriveElsewhere> {
  const port = await freePorts();
  const url = `http://localhost:${port + 2}`;
  const running = await environmentOfRunning({ run: path.join(haic.home, 'run') });
  const child = spawn(process.execPath, [server, 'serve', '--services=drive'], {
    env: { ...running, HAIC_PORT: String(port), HAIC_DRIVE_URL: url, HAIC_PUBLIC_URL: haic.url, ...store },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const environment = createServer(async (request, response) => {
    const answer = await fetch(new URL(request.url ?? '/', haic.url));
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end((await answer.text()).replaceAll(driveUrlOf(haic), url));
  });
  await once(environment.listen(0, '127.0.0.1'), 'listening');
  const stop = async () => {
    environment.closeAllConnections();
    environment.close();
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  };
  while ((await fetch(url).catch(() => undefined)) === undefined) {
    if (child.exitCode !== null) throw new Error(`Drive on ${store.HAIC_BLOB_STORE} does not start.`);
    await sleep(50);
  }
  return {
    url,
    environmentUrl: `http://127.0.0.1:${(environment.address() as AddressInfo).port}`,
    name: `Drive (pid ${child.pid}) on ${url} with ${store.HAIC_BLOB_STORE}`,
    stop,
  };
}
