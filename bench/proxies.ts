import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { caddy, configurableHttpProxy, nginx } from './peers.ts';
import { freePort, type Started, startServer } from './processes.ts';

/** Another proxy in front of the same app, set up as its users set it up: keep-alive on both sides, no access log. */
export interface PeerProxy extends Started {
  readonly name: string;
  readonly port: number;
  /** Where routes are added, if it has such a place. */
  readonly apiPort?: number;
}

export const proxyPeers = {
  chp: startConfigurableHttpProxy,
  caddy: startCaddy,
  nginx: startNginx,
} as const;

interface Place {
  /** A folder for its files. */
  readonly directory: string;
  readonly appPort: number;
}

export const chpToken = 'token-of-the-benchmark';

async function startConfigurableHttpProxy({ appPort }: Place): Promise<PeerProxy> {
  const script = await configurableHttpProxy();
  const [port, apiPort] = [await freePort(), await freePort()];
  const app = `http://127.0.0.1:${appPort}`;
  const addresses = [
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--api-ip',
    '127.0.0.1',
    '--api-port',
    String(apiPort),
  ];
  const started = await startServer({
    command: process.execPath,
    args: [script, ...addresses, '--default-target', app, '--log-level', 'error'],
    env: { CONFIGPROXY_AUTH_TOKEN: chpToken, NODE_ENV: 'production' },
    url: `http://127.0.0.1:${port}/`,
  });
  return { ...started, name: 'configurable-http-proxy 5.3.0', port, apiPort };
}

async function startCaddy({ directory, appPort }: Place): Promise<PeerProxy> {
  const command = await caddy();
  const port = await freePort();
  const file = path.join(directory, 'Caddyfile');
  await writeFile(
    file,
    `{\n admin off\n auto_https off\n}\nhttp://:${port} {\n bind 127.0.0.1\n reverse_proxy 127.0.0.1:${appPort}\n}\n`,
  );
  const started = await startServer({
    command,
    args: ['run', '--adapter', 'caddyfile', '--config', file],
    env: { HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    url: `http://127.0.0.1:${port}/`,
  });
  return { ...started, name: 'Caddy 2.6', port };
}

async function startNginx({ directory, appPort }: Place): Promise<PeerProxy> {
  const command = await nginx();
  const port = await freePort();
  const file = path.join(directory, 'nginx.conf');
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const root = process.getuid?.() === 0;
  await writeFile(
    file,
    `daemon off; worker_processes 1; pid ${directory}/nginx.pid; error_log stderr error; ${root ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  ${folders.map((name) => `${name}_temp_path ${directory}/nginx-${name};`).join(' ')}
  upstream app { server 127.0.0.1:${appPort}; keepalive 64; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port}; location / {
    proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  } }
}
`,
  );
  const started = await startServer({
    command,
    args: ['-c', file, '-e', 'stderr', '-p', directory],
    url: `http://127.0.0.1:${port}/`,
  });
  return { ...started, name: 'nginx 1.22', port };
}
