import { type DestinationStream, type Logger, pino } from 'pino';
import { currentRequestId } from './telemetry/within-request.ts';

export type { Logger } from 'pino';

/** Fields that may carry credentials are removed wherever they occur, so that a careless log line leaks nothing. */
const redactedPaths = [
  'req.headers.authorization',
  'req.headers.cookie',
  'res.headers["set-cookie"]',
  'headers.authorization',
  'headers.cookie',
  '*.password',
  '*.token',
  '*.access_token',
  '*.refresh_token',
  '*.id_token',
  '*.client_secret',
  '*.secret',
];

/** One line of JSON an event, with the request that it belongs to, to stdout or, in tests, elsewhere. */
export function createLogger(service: string, level = 'info', destination?: DestinationStream): Logger {
  const options = {
    name: service,
    level,
    redact: { paths: redactedPaths, censor: '[redacted]' },
    mixin: () => {
      const requestId = currentRequestId();
      return requestId === undefined ? {} : { requestId };
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
