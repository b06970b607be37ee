import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DriveError } from './errors.ts';

/** Of a body that nobody wants any more so much is read, for so long, that the client comes to read the answer. */
const mostDrainedBytes = 64 * 1024 ** 2;
const mostDrainedMs = 20_000;

/**
 * Answers with the error. A client that is sending does not look for an answer before it has sent all, and would be told of a broken connection
 * instead if this one was simply closed; so the rest is read for a while, and passed over. After that the connection is of no use.
 */
export async function refuse(
  exchange: {
    readonly message: IncomingMessage;
    readonly response: ServerResponse;
    readonly proceeded: boolean;
  },
  error: DriveError,
  xml: string,
): Promise<void> {
  const { message, response, proceeded } = exchange;
  if (response.headersSent) {
    // Half an object must not look like a whole one.
    response.destroy();
    return;
  }
  const body = error.status === 304 || message.method === 'HEAD' ? undefined : Buffer.from(xml);
  const isSending = !message.complete;
  response.writeHead(error.status, {
    ...(body === undefined ? {} : { 'content-type': 'application/xml', 'content-length': body.length }),
    ...(isSending ? { connection: 'close' } : {}),
    ...(error.code === 'ServiceUnavailable' || error.code === 'SlowDown' ? { 'retry-after': '2' } : {}),
  });
  if (isSending && proceeded) {
    if (body !== undefined) response.write(body);
    else response.flushHeaders();
    await drain(message);
    response.end();
  } else response.end(body);
}

function drain(message: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let drained = 0;
    const done = () => {
      clearTimeout(timer);
      message.off('data', count).off('end', done).off('close', done).off('error', done);
      message.pause();
      resolve();
    };
    const count = (piece: Buffer) => {
      drained += piece.length;
      if (drained > mostDrainedBytes) done();
    };
    const timer = setTimeout(done, mostDrainedMs);
    message.on('data', count).once('end', done).once('close', done).once('error', done);
    if (message.complete || message.destroyed) return done();
    message.resume();
  });
}
