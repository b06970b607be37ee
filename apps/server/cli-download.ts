import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type } from '@fastify/type-provider-typebox';
import { binary, textual } from '@haic/kit/http/operation.ts';
import type { HttpServer } from '@haic/kit/http/server.ts';
import { haicVersion } from '@haic/kit/version.ts';

const config = { public: 'command line download' };
const tags = ['Command line'];

const about = {
  operationId: 'getCommandLineVersion',
  summary: 'The version of the command line that is offered for download.',
  tags,
  response: {
    200: Type.Object({
      version: Type.String(),
      sha256: Type.String({ description: 'Of the file, in hexadecimal.' }),
      size: Type.Integer({ description: 'Bytes.' }),
    }),
  },
};
const download = {
  operationId: 'downloadCommandLine',
  summary: 'The command line as one file, for Node 20 or newer.',
  tags,
  response: { 200: binary('application/octet-stream', 'A script that begins with #!/usr/bin/env node.') },
};
const checksum = {
  operationId: 'getCommandLineChecksum',
  summary: 'Its checksum, as `sha256sum -c` reads it.',
  tags,
  response: { 200: textual(['text/plain'], 'The checksum, two spaces, the name of the file.') },
};

/**
 * The `h2o` command line, the same for everyone and so for whoever asks. Kept in memory: what is served is what its checksum says, also
 * while another `up` writes the file anew. Without the file (a service that was started by hand) there is no such address.
 */
export async function registerCliDownload(server: HttpServer, file: string): Promise<void> {
  const content = await readFile(file).catch(() => undefined);
  if (content === undefined) return;
  const sha256 = createHash('sha256').update(content).digest('hex');

  server.get('/cli/version', { config, schema: about }, async (_request, reply) => {
    reply.header('cache-control', 'no-cache');
    return { version: haicVersion, sha256, size: content.length };
  });
  server.get('/cli/h2o', { config, schema: download }, async (_request, reply) =>
    reply
      .type('application/octet-stream')
      .header('content-disposition', 'attachment; filename="h2o"')
      .header('etag', `"${sha256}"`)
      .header('cache-control', 'no-cache')
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "default-src 'none'; sandbox")
      .header('x-haic-version', haicVersion)
      .send(content),
  );
  server.get('/cli/h2o.sha256', { config, schema: checksum }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').header('cache-control', 'no-cache').send(`${sha256}  h2o\n`),
  );
}
