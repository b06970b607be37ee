import { chmod, rm } from 'node:fs/promises';
import process from 'node:process';
import { optionalText, readConfig, text } from '@haic/kit/config.ts';
import { messageOf } from '@haic/kit/errors.ts';
import { createEnvironmentsServer } from '@haic/services/environments/server.ts';
import { createEnvironments } from '@haic/services/environments/service.ts';

const day = 24 * 60 * 60 * 1000;

const settings = {
  socket: text({
    env: 'HAIC_INSTALLER_SOCKET',
    doc: 'Unix socket to serve on; its folder is what apps get to see.',
  }),
  directory: text({ env: 'HAIC_ENVIRONMENTS_DIR', doc: 'Folder of the shared Python environments.' }),
  uv: text({ env: 'HAIC_UV', doc: 'The uv program.' }),
  index: optionalText({
    env: 'HAIC_PYPI_INDEX',
    doc: 'Package index for Python, instead of the public one.',
  }),
  httpProxy: optionalText({ env: 'HAIC_HTTP_PROXY', doc: 'Proxy for what is downloaded.' }),
  caFile: optionalText({ env: 'HAIC_CA_FILE', doc: 'PEM file of an own certificate authority.' }),
};

async function main(): Promise<void> {
  // Environments are for everyone to read and for nobody else to write, whatever the umask was.
  process.umask(0o022);
  const config = readConfig(settings, process.env);
  const environments = await createEnvironments({ ...config, log });
  const server = createEnvironmentsServer(environments, log);
  await rm(config.socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen({ path: config.socket, readableAll: true, writableAll: true }, resolve);
  });
  await chmod(config.socket, 0o666);
  log('installer ready', { pythons: environments.interpreters.map((item) => item.fullVersion) });

  const sweep = () =>
    environments.sweep().catch((error: unknown) => log('sweep failed', { error: messageOf(error) }));
  void sweep();
  setInterval(sweep, day).unref();

  const stop = async () => {
    server.close();
    server.closeAllConnections();
    await environments.stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
}

function log(message: string, facts: Record<string, unknown> = {}): void {
  process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), name: 'installer', msg: message, ...facts })}\n`,
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`The installer cannot start: ${messageOf(error)}\n`);
  process.exit(1);
});
