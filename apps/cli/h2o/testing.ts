import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { wellKnownClients } from '@haic/kit/auth/principal.ts';
import { writeCliConfig } from './config-file.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** The real command line against the store at `endpoint`, in an empty folder of its own; its token endpoint always gives `token`. */
export async function startCommandLine(endpoint: string, token: string) {
  const issuer = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 300 }));
  }).listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  const directory = await mkdtemp(path.join(tmpdir(), 'haic-cli-'));
  const conf = path.join(directory, 'config.toml');
  await writeCliConfig(conf, {
    Endpoint: endpoint,
    OIDCAddress: `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`,
    ClientID: wellKnownClients.cli,
    Token: 'a refresh token',
  });
  return {
    directory,
    run: (...words: readonly string[]) => type('', ...words),
    /** With that on stdin. */
    type,
    async [Symbol.asyncDispose]() {
      issuer.close();
      issuer.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    },
  };

  async function type(input: string, ...words: readonly string[]) {
    const child = spawn(process.execPath, [main, ...words], {
      cwd: directory,
      env: { ...process.env, H2OCONFIG: conf },
    });
    child.stdin.end(input);
    const [out, talk] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { out, talk, code: child.exitCode };
  }
}
