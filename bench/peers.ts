import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { deadline } from '@haic/kit/deadline.ts';
import { readSettings } from '@haic/server/settings.ts';
import { ensureUv } from '@haic/services/environments/uv.ts';
import { run } from './processes.ts';

/** What we measure against, installed on first use into `<cache>/bench` and nowhere else. */
const settings = readSettings(process.env);
const folder = path.join(settings.cache, 'bench');

const network = {
  ...(settings.pythonIndex === undefined ? {} : { pypiIndex: settings.pythonIndex }),
  ...(settings.httpProxy === undefined ? {} : { httpProxy: settings.httpProxy }),
  ...(settings.caFile === undefined ? {} : { caFile: settings.caFile }),
};
const indexArguments = settings.pythonIndex === undefined ? [] : ['--index-url', settings.pythonIndex];

export const uvProgram = async (): Promise<string> =>
  (await ensureUv({ cacheDirectory: settings.cache, network, signal: deadline(300_000) })).path;

/** The system's Python: both sides of a comparison run on it. */
export const python = '/usr/bin/python3';

/** JupyterHub's proxy; returns the script for node. */
export async function configurableHttpProxy(): Promise<string> {
  const target = await once('configurable-http-proxy-5.3.0', async (staging) => {
    const args = [
      'install',
      '--prefix',
      staging,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    const npm = path.resolve(path.dirname(process.execPath), '../../npm/bin/npm-cli.js');
    const wanted = 'configurable-http-proxy@5.3.0';
    if (await exists(npm)) await run(process.execPath, [npm, ...args, wanted]);
    else await run('npm', [...args, wanted]);
  });
  return path.join(target, 'node_modules/configurable-http-proxy/bin/configurable-http-proxy');
}

/** Debian's packages, unpacked and not installed: no daemon starts, nothing on the machine changes. */
const debian = (name: string): Promise<string> =>
  once(`debian-${name}`, async (staging) => {
    await run('apt-get', ['download', name], { cwd: staging });
    const file = (await readdir(staging)).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get downloaded no package ${name}.`);
    await run('dpkg', ['-x', path.join(staging, file), staging]);
    await rm(path.join(staging, file));
  });

export const nginx = async (): Promise<string> => path.join(await debian('nginx'), 'usr/sbin/nginx');
export const caddy = async (): Promise<string> => path.join(await debian('caddy'), 'usr/bin/caddy');

/** A virtual environment with JupyterHub and JupyterLab; returns its folder. */
export async function jupyterHub(): Promise<string> {
  const uv = await uvProgram();
  return once('jupyterhub-6.1.1', async (staging) => {
    await run(uv, ['venv', '--quiet', '--relocatable', '--python', python, path.join(staging, 'venv')]);
    const to = [
      '--quiet',
      '--python',
      path.join(staging, 'venv/bin/python'),
      '--compile-bytecode',
      ...indexArguments,
    ];
    await run(uv, ['pip', 'install', ...to, 'jupyterhub==6.1.1', 'jupyterlab>=4,<5']);
  }).then((target) => path.join(target, 'venv'));
}

/** Installs into a folder of its own beside the target and renames it, so that what is there is whole. */
async function once(name: string, install: (staging: string) => Promise<void>): Promise<string> {
  const target = path.join(folder, name);
  if (await exists(target)) return target;
  process.stderr.write(`Installing ${name} to compare with …\n`);
  const staging = `${target}.${process.pid}.tmp`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  try {
    await install(staging);
    await rename(staging, target);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return target;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
