import process from 'node:process';
import { roles, serveRole } from './serve.ts';

const starts = {
  core: async () => (await import('./core.ts')).startCore,
  router: async () => (await import('./router.ts')).startRouter,
  drive: async () => (await import('./drive.ts')).startDrive,
} as const;

/** `node main.ts serve --services=core|router|drive`: one build, many roles (design decision 1). */
const wanted = process.argv
  .find((argument) => argument.startsWith('--services='))
  ?.slice('--services='.length);
const role = roles.find((name) => name === wanted);
if (process.argv[2] !== 'serve' || role === undefined) {
  process.stderr.write(`Usage: haic serve --services=${roles.join('|')}\n`);
  process.exit(2);
}
// Node has four threads for all that waits for a disk, and as many writes at once would hold up whoever only reads. Read at their first use.
if (role === 'drive') process.env.UV_THREADPOOL_SIZE ??= '16';
await serveRole(role, await starts[role]());
