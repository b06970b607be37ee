import path from 'node:path';
import type { EnvironmentRequest, Waved } from './client.ts';

const version = '1.8.16';

/** The platform's own Wave server: the Linux x86-64 wheel, which carries `waved` and its web files in the environment's root. */
export const wavedRequest: EnvironmentRequest = {
  python: 'default',
  requirements: `h2o-wave==${version} --hash=sha256:8a0d8a9c76595a5a4f87a7b4ac17dec6cab0c72508f777e650e56c26532faea5\n`,
};

export const wavedOf = (environment: string): Waved => ({
  binary: path.join(environment, 'waved'),
  www: path.join(environment, 'www'),
  version,
});
