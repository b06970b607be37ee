import { type Logger, pino } from 'pino';

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

/** One line of JSON an event, to stdout. */
export function createLogger(service: string, level = 'info'): Logger {
  return pino({ name: service, level, redact: { paths: redactedPaths, censor: '[redacted]' } });
}
