import { after, before, describe } from 'node:test';
import { testApps } from './apps.ts';
import { testNetworkPolicies } from './network-policies.ts';
import { testReplicas } from './replicas.ts';
import { type Scene, startScene } from './scene.ts';

/** What the chart promises for more than one of each: storage that all of them mount. */
const replicated = {
  'router.replicas': 2,
  'core.replicas': 2,
  'core.storage.accessMode': 'ReadWriteMany',
};

describe('Haic as pods, installed by its chart: two routers and two cores', () => {
  let scene: Scene;
  before(async () => {
    scene = await startScene(replicated);
  });
  after(() => scene?.stop());

  testApps(() => scene);
  testNetworkPolicies(() => scene);
  testReplicas(() => scene, replicated);
});
