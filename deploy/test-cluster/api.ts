import { readFile } from 'node:fs/promises';
import { Agent, type RequestOptions, request } from 'node:https';
import { at, type Layout, network } from './layout.ts';

/** The cluster's API server, asked as its administrator. */
export interface Api {
  /** Undefined while it cannot be reached. */
  ask(
    method: string,
    path: string,
    body?: { readonly text: string; readonly type?: string },
  ): Promise<{ status: number; body: string } | undefined>;
  /** Lines as they come, until the server ends them or cannot be reached any more. */
  lines(path: string, signal: AbortSignal): AsyncGenerator<string>;
}

const patienceMs = 5_000;

/** Its certificates have to be there; the server need not. */
export async function connectApi(layout: Pick<Layout, 'folder'>): Promise<Api> {
  const file = (name: string) => readFile(at(layout, 'pki', name));
  const [ca, cert, key] = [await file('ca.crt'), await file('admin.crt'), await file('admin.key')];
  const agent = new Agent({ keepAlive: true, ca, cert, key });
  const optionsOf = (method: string, path: string, more: RequestOptions): RequestOptions => ({
    ...{ host: network.node, port: network.apiPort, agent, method, path },
    ...more,
  });
  return {
    ask: (method, path, body) =>
      new Promise((resolve) => {
        const { type = 'application/json', text = '' } = body ?? {};
        // Node tells the length of what a DELETE carries to nobody by itself.
        const length = Buffer.byteLength(text);
        const headers = body === undefined ? {} : { 'content-type': type, 'content-length': length };
        const asked = request(optionsOf(method, path, { headers, timeout: patienceMs }));
        asked.on('timeout', () => asked.destroy());
        asked.on('error', () => resolve(undefined));
        asked.on('response', async (response) => {
          try {
            let text = '';
            for await (const chunk of response.setEncoding('utf8')) text += chunk;
            resolve({ status: response.statusCode ?? 0, body: text });
          } catch {
            resolve(undefined);
          }
        });
        asked.end(text);
      }),
    async *lines(path, signal) {
      const asked = request(optionsOf('GET', path, { signal }));
      const answered = new Promise<AsyncIterable<string>>((resolve, reject) => {
        asked.on('error', reject);
        asked.on('response', (response) => resolve(response.setEncoding('utf8')));
      });
      asked.end();
      let rest = '';
      try {
        for await (const chunk of await answered) {
          const parts = (rest + chunk).split('\n');
          rest = parts.pop() ?? '';
          yield* parts;
        }
      } catch {
        // Whoever watches asks anew.
      }
    },
  };
}
