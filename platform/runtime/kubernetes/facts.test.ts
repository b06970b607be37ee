import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { factsOf } from './facts.ts';
import { annotationKeys, labelKeys } from './names.ts';
import type { Condition, Deployment, KubeObject, Pod } from './objects.ts';
import type { Reflector } from './reflector.ts';
import type { View } from './view.ts';

describe('what was thrown off its node', () => {
  it('is a pod that has ended, since what a Deployment runs never ends by itself', () =>
    assert.equal(displaced(pod({ phase: 'Failed' })), 'pod'));

  it('is one that a lost node took with it, also when it is on its way out', () => {
    const conditions: readonly Condition[] = [{ type: 'DisruptionTarget', status: 'True' }];
    assert.equal(displaced(pod({ phase: 'Failed', conditions }, asked)), 'pod');
  });

  it('is none that was replaced, though it is seen to have ended before it is removed', () => {
    assert.equal(displaced(pod({ phase: 'Succeeded' }, asked)), undefined);
    assert.equal(displaced(pod({ phase: 'Failed' }, asked)), undefined);
  });

  it('is none that runs', () => assert.equal(displaced(pod({ phase: 'Running' })), undefined));
});

const asked = { deletionTimestamp: '2026-01-01T00:00:01Z' };
const metadata = { name: 'one', uid: 'uid', creationTimestamp: '2026-01-01T00:00:00Z' };

const pod = (status: Pod['status'], more: object = {}) =>
  ({ metadata: { ...metadata, name: 'pod', ...more }, spec: {}, status }) as Pod;

/** The name of the pod that counts as thrown off. */
function displaced(only: Pod): string | undefined {
  const template = { image: 'system', command: ['true'], resources: {}, restartPolicy: 'Always' };
  const deployment = {
    kind: 'Deployment',
    metadata: {
      ...metadata,
      labels: { [labelKeys.workload]: 'one' },
      annotations: { [annotationKeys.complete]: 'true', [annotationKeys.template]: JSON.stringify(template) },
    },
    spec: { replicas: 1 },
  } as unknown as Deployment;
  const view = { deployments: of(deployment), jobs: of(), pods: of(only), services: of(), claims: of() };
  return factsOf(view as unknown as View, 'one')?.displaced?.metadata.name;
}

const of = (...objects: readonly KubeObject[]) =>
  ({ get: () => objects[0], group: () => objects }) as unknown as Reflector<KubeObject>;
