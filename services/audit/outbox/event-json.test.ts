import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventJsonOf } from './event-json.ts';

const told = (resource: string) =>
  eventJsonOf({ action: 'actions/test/things/GET', readOnly: true, principal: 'users/ada', resource });

describe('what a service tells of', () => {
  it('is kept by the name that was asked for where that is no name of a resource, such as an alias of a workspace', () => {
    for (const resource of [
      '//secure-store/workspaces/default/secrets/db',
      '//secure-store/workspaces/global/secrets',
      'no resource at all',
    ]) {
      const event = told(resource);
      assert.deepEqual([event.resource, event.metadata], ['', { resource_told: resource }]);
    }
  });

  it('is left as it is where it names the workspace itself', () => {
    const resource = '//secure-store/workspaces/of-ada/secrets/db';
    assert.deepEqual([told(resource).resource, told(resource).metadata], [resource, {}]);
  });
});
