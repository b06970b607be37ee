import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LoadOptions } from './load.ts';
import { configurableHttpProxy, jupyterHub } from './peers.ts';
import { freePort, type Started, startServer } from './processes.ts';

/** A JupyterHub as its manual sets one up for a try: its proxy, SQLite, processes of the same user, JupyterLab as the single-user server. */
export interface Hub {
  start(): Promise<Started>;
  /** Milliseconds from the request to start a person's server until that server itself answers. */
  spawn(username: string): Promise<number>;
  stopServer(username: string): Promise<void>;
  /** What to ask for one person, who is made if need be. */
  userRequest(username: string): Promise<Pick<LoadOptions, 'port' | 'path' | 'headers'>>;
}

const token = 'bench-token-0123456789abcdef0123456789abcdef';

export async function prepareHub(directory: string): Promise<Hub> {
  const [venv, proxy] = [await jupyterHub(), await configurableHttpProxy()];
  const [port, apiPort, hubPort] = [await freePort(), await freePort(), await freePort()];
  const config = path.join(directory, 'jupyterhub_config.py');
  const allowRoot = process.getuid?.() === 0 ? "c.Spawner.args = ['--allow-root']" : '';
  await writeFile(
    config,
    `c = get_config()
c.JupyterHub.bind_url = 'http://127.0.0.1:${port}'
c.JupyterHub.hub_ip = '127.0.0.1'
c.JupyterHub.hub_port = ${hubPort}
c.JupyterHub.authenticator_class = 'dummy'
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = 'simple'
c.Spawner.ip = '127.0.0.1'
${allowRoot}
c.ConfigurableHTTPProxy.command = ['${process.execPath}', '${proxy}']
c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:${apiPort}'
c.JupyterHub.services = [{'name': 'bench', 'api_token': '${token}'}]
c.JupyterHub.load_roles = [{'name': 'bench', 'services': ['bench'],
    'scopes': ['admin:users', 'admin:servers', 'access:servers', 'read:users', 'list:users']}]
`,
  );
  const url = `http://127.0.0.1:${port}`;
  const call = (method: string, route: string) =>
    fetch(`${url}${route}`, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `token ${token}`,
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
  const status = async (method: string, route: string) => {
    const response = await call(method, route);
    await response.body?.cancel();
    return response.status;
  };
  return {
    start: async () => {
      // Left by one that was stopped; it would be looked for, and its zombie found where nothing reaps them.
      await rm(path.join(directory, 'jupyterhub-proxy.pid'), { force: true });
      return startServer({
        command: path.join(venv, 'bin/jupyterhub'),
        args: ['--config', config, '--JupyterHub.log_level=ERROR'],
        env: {
          PATH: `${path.join(venv, 'bin')}:${path.dirname(process.execPath)}:${process.env.PATH ?? ''}`,
        },
        cwd: directory,
        url: `${url}/hub/api`,
        // Its proxy answers 404 until the hub has told it where the hub is.
        isUp: (status) => status === 200,
        seconds: 90,
      });
    },
    spawn: async (username) => {
      const created = await status('POST', `/hub/api/users/${username}`);
      if (created !== 201 && created !== 409) throw new Error(`Adding a user was answered with ${created}.`);
      const from = performance.now();
      const asked = await status('POST', `/hub/api/users/${username}/server`);
      if (asked !== 201 && asked !== 202) throw new Error(`Starting a server was answered with ${asked}.`);
      while (performance.now() - from < 90_000) {
        if ((await status('GET', `/user/${username}/api/status`)) === 200) return performance.now() - from;
        await pause(20);
      }
      throw new Error('The single-user server never answered.');
    },
    userRequest: async (username) => {
      const created = await status('POST', `/hub/api/users/${username}`);
      if (created !== 201 && created !== 409) throw new Error(`Adding a user was answered with ${created}.`);
      const headers = { host: `127.0.0.1:${port}`, authorization: `token ${token}` };
      return { port, path: `/hub/api/users/${username}`, headers };
    },
    stopServer: async (username) => {
      for (let attempt = 0; attempt < 300; attempt += 1) {
        if ((await status('DELETE', `/hub/api/users/${username}/server`)) === 204) return;
        await pause(100);
      }
    },
  };
}
