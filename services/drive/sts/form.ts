import type { IncomingMessage } from 'node:http';
import { driveError } from '../errors.ts';
import { readAll } from '../xml/read.ts';

/** A token of 20,000 characters, each as an escape, and the rest. */
const longestForm = 80 * 1024;
const slowestMs = 15_000;

/** Fields of the body; those of the address are not looked at: a token does not belong there. */
export async function readForm(message: IncomingMessage): Promise<URLSearchParams> {
  const type = message.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\b/i.test(type))
    throw driveError('ValidationError', 'The fields are sent as application/x-www-form-urlencoded.');
  const timer = setTimeout(() => message.destroy(new Error('The form took too long.')), slowestMs);
  try {
    return new URLSearchParams(await readAll(message, longestForm));
  } finally {
    clearTimeout(timer);
  }
}
