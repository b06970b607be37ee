import { once } from 'node:events';
import { request } from 'node:http';
import { WebSocket } from 'ws';

/** A WebSocket and a line of keep-alive requests to the app itself, past the router: what they see is the app's own life. */
export interface Watcher {
  /** Messages and answers so far. */
  readonly heard: () => { messages: number; answers: number };
  /** Which processes answered, and everything that went wrong. */
  readonly born: ReadonlySet<string>;
  readonly troubles: readonly string[];
  stop(): Promise<void>;
}

export async function watchApp(port: number): Promise<Watcher> {
  const born = new Set<string>();
  const troubles: string[] = [];
  const heard = { messages: 0, answers: 0 };
  let stopping = false;

  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`);
  socket.on('message', (data) => {
    heard.messages += 1;
    born.add(String(data).split(' ')[0] ?? '');
  });
  const trouble = (what: string) => {
    if (!stopping) troubles.push(what);
  };
  socket.on('error', (error) => trouble(`WebSocket: ${error.message}`));
  socket.on('close', () => trouble('the WebSocket was closed'));
  await once(socket, 'open');

  const asking = (async () => {
    while (!stopping) {
      try {
        born.add(JSON.parse(await ask(port)).born);
        heard.answers += 1;
      } catch (error) {
        trouble(`request: ${String(error)}`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    heard: () => ({ ...heard }),
    born,
    troubles,
    stop: async () => {
      stopping = true;
      socket.terminate();
      await asking;
    },
  };
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/', timeout: 10_000 }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.once('end', () => resolve(text));
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.once('error', reject);
    asked.end();
  });
}
