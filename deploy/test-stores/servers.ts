import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureAzurite, ensureFakeGcsServer, ensureVersitygw } from './programs.ts';

/** A server of object storage on a port of its own, with a folder of its own. */
export interface StoreServer {
  /** What serves, for the test's output. */
  readonly name: string;
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** All that it keeps is below. */
  readonly folder: string;
  readonly pid: number;
  /** kill −9. What it keeps on files is there again after `restart`, at the same address. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const startWithin = 120_000;
const buildWithin = 1_800_000;

/** S3, on files. Its only bucket is `bucket`. */
export async function startVersitygw(): Promise<StoreServer> {
  const program = await ensureVersitygw(AbortSignal.timeout(buildWithin));
  return startServer('versitygw', async (folder, port) => {
    for (const name of ['data/bucket', 'iam']) await mkdir(path.join(folder, name), { recursive: true });
    return {
      command: program,
      args: [
        ...['--port', `127.0.0.1:${port}`, '--access', accessKey, '--secret', secretKey],
        ...['--region', 'us-east-1', '--quiet', 'posix', path.join(folder, 'data')],
      ],
    };
  });
}

/** Azure Blob Storage, on files. The account is the one that every emulator has, its only container `container`. */
export async function startAzurite(): Promise<StoreServer> {
  const script = await ensureAzurite(AbortSignal.timeout(buildWithin));
  const server = await startServer('azurite-blob', async (folder, port) => ({
    command: process.execPath,
    args: [
      ...[script, '--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder],
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
    ],
  }));
  const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob');
  const { accessKey: account, secretKey: key } = emulatorAccount;
  const service = new BlobServiceClient(
    `${server.endpoint}/${account}`,
    new StorageSharedKeyCredential(account, key),
  );
  await service.getContainerClient('container').create();
  return { ...server, ...emulatorAccount };
}

/** Google Cloud Storage, in memory. It asks nobody who they are. Its only bucket is `bucket`. */
export async function startFakeGcsServer(): Promise<StoreServer> {
  const program = await ensureFakeGcsServer(AbortSignal.timeout(buildWithin));
  return startServer('fake-gcs-server', async (folder, port) => {
    await mkdir(path.join(folder, 'data', 'bucket'), { recursive: true });
    const address = `127.0.0.1:${port}`;
    return {
      command: program,
      args: [
        ...['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-public-host', address],
        ...['-external-url', `http://${address}`, '-log-level', 'error'],
        ...['-backend', 'memory', '-data', path.join(folder, 'data')],
      ],
    };
  });
}

/** Published with the emulator: a secret of nobody's. */
const emulatorAccount = {
  accessKey: 'devstoreaccount1',
  secretKey: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
};

const accessKey = 'haic-test';
const secretKey = 'haic-test-secret';

async function startServer(
  name: string,
  commandFor: (folder: string, port: number) => Promise<{ command: string; args: readonly string[] }>,
): Promise<StoreServer> {
  const folder = await mkdtemp(path.join(tmpdir(), `haic-${name}-`));
  // Between the choice of a port and its use somebody else may take it.
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const { command, args } = await commandFor(folder, port);
    const start = () => spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    let child = start();
    if (await answers(child, port)) {
      const crash = async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      };
      return {
        name: `${path.basename(command)} ${name} (pid ${child.pid}) on 127.0.0.1:${port}`,
        endpoint: `http://127.0.0.1:${port}`,
        accessKey,
        secretKey,
        folder,
        get pid() {
          return child.pid ?? 0;
        },
        crash,
        restart: async () => {
          child = start();
          if (!(await answers(child, port))) throw new Error(`${name} does not come back.`);
        },
        stop: async () => {
          await crash();
          await rm(folder, { recursive: true, force: true, maxRetries: 5 });
        },
      };
    }
    child.kill('SIGKILL');
    if (attempt === 3) throw new Error(`${name} does not start.`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(child: ChildProcess, port: number): Promise<boolean> {
  const until = Date.now() + startWithin;
  while (Date.now() < until && child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      sleep(1_000, false),
    ]);
    socket.destroy();
    if (open && child.exitCode === null) return true;
    await sleep(100);
  }
  return false;
}
