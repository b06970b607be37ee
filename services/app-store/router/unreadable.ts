import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

const answers: Readonly<Record<string, readonly [status: number, words: string]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    'The address, the cookies and the other headers of this request are more than 32 KiB together. If this is a browser, remove the cookies of this site and try again.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The headers of this request did not arrive in time. Try again.'],
};
const notHttp = [400, 'This is not a request that HTTP/1.1 knows (RFC 9112).'] as const;

/**
 * Says why a request was not read: Node would answer with a status alone. Of an answer that is under way nothing can be taken back: then the
 * connection only ends.
 */
export function answerUnreadable(server: Server): void {
  const answering = new WeakMap<Socket, ServerResponse>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, response);
  });
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    const response = answering.get(socket);
    const isUnderWay = response?.headersSent === true && !response.writableFinished;
    if (socket.writable && !isUnderWay && error.code !== 'ECONNRESET') {
      const [status, words] = answers[error.code ?? ''] ?? notHttp;
      const head = [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        'content-type: text/plain; charset=utf-8',
        `content-length: ${Buffer.byteLength(words)}`,
        'cache-control: no-store',
        'x-content-type-options: nosniff',
        'connection: close',
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n${words}`);
    }
    socket.destroySoon();
  });
}
