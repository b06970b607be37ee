import process from 'node:process';
import { deadline } from '@haic/kit/deadline.ts';
import { readSettings } from '@haic/server/settings.ts';
import { ensureBinaries } from '@haic/test-cluster/binaries.ts';
import { ensurePolicyEnforcer } from '@haic/test-cluster/network-policies.ts';
import { ensureClusterImages, makingOf } from './test-cluster.ts';

/** Builds all that a test cluster is started from. */
const making = makingOf(readSettings(process.env), () => undefined, deadline(60 * 60_000));
await ensureBinaries(making);
await ensurePolicyEnforcer(making);
await ensureClusterImages({ haicImages: true, ingress: true }, making);
