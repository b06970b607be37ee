import { createServer, request } from 'node:http';
import { messageOf } from '@haic/kit/errors.ts';
import { type ComponentName, componentNames } from './components.ts';

/** Starts and kills single components of a cluster, for whoever tests what happens then. */
export interface ComponentControl {
  start(name: ComponentName): Promise<void>;
  /** By SIGKILL; resolves when its process has ended. */
  stop(name: ComponentName): Promise<void>;
  running(): readonly ComponentName[];
}

const verbs = ['start', 'stop'] as const;

/** `POST /<component>/start|stop` on a Unix socket, which reaches into the cluster's namespaces: only files are shared with it. */
export async function serveControl(socket: string, components: ComponentControl): Promise<void> {
  const server = createServer(async (asked, answer) => {
    const [, wanted, verb] = (asked.url ?? '').split('/');
    const name = componentNames.find((candidate) => candidate === wanted);
    const action = verbs.find((candidate) => candidate === verb);
    try {
      if (name !== undefined && action !== undefined) await components[action](name);
      answer.end(JSON.stringify(components.running()));
    } catch (error) {
      answer.writeHead(500).end(messageOf(error));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
}

/** What runs now, after the given component was started or stopped, if one is given. */
export function askControl(
  socket: string,
  action: { name: ComponentName; verb: (typeof verbs)[number] } | undefined,
  signal: AbortSignal,
): Promise<readonly ComponentName[]> {
  return new Promise((resolve, reject) => {
    const path = action === undefined ? '/' : `/${action.name}/${action.verb}`;
    const asked = request({ socketPath: socket, method: 'POST', path, signal }, async (answer) => {
      let text = '';
      for await (const chunk of answer.setEncoding('utf8')) text += chunk;
      if (answer.statusCode === 200) resolve(JSON.parse(text) as ComponentName[]);
      else reject(new Error(text));
    });
    asked.once('error', reject);
    asked.end();
  });
}
