import { createServer } from 'node:http';
import type { Logger } from '@haic/kit/logging.ts';
import type { RunningRole } from './serve.ts';
import type { ServerSettings } from './settings.ts';

/**
 * Drive's process and listener (port + 2). It carries no objects yet; it exists now so that every byte of them will have a process of
 * its own from the first day, and answers health and a clear error.
 */
export async function startDrive(options: {
  settings: ServerSettings;
  logger: Logger;
}): Promise<RunningRole> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
      return;
    }
    response.writeHead(501, { 'content-type': 'application/xml' });
    response.end(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NotImplemented</Code><Message>This installation has no Drive yet.</Message></Error>',
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.settings.port + 2, '127.0.0.1', resolve);
  });
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
