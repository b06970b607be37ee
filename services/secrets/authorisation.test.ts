import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { base64, startTestSecrets, type TestSecrets } from './testing.ts';

/**
 * Who may what, written by hand from the rules: a viewer sees and an editor changes and reads, nobody else learns that the workspace exists, and
 * an administrator of Haic is nobody else. An app does what its person does; a part of the platform and nobody do nothing.
 */
const who = [
  'olga',
  'ada',
  'vic',
  'mallory',
  'admin',
  'ada@haic-app-1',
  'vic@haic-app-1',
  'ada@haic-cli',
  'ada@haic-platform',
  'ada@haic-sa-ci',
  'ada@haic-service-core',
  '',
] as const;

const team = 'workspaces/team/secrets';

// biome-ignore format: columns
const table: readonly (readonly [string, string, unknown, ...number[]])[] = [
  //                                                              olga ada  vic  mall adm  app  vapp cli  plat sa   svc  none
  ['POST',   `${team}?secretId={new}`, {},                        200, 200, 403, 404, 404, 200, 403, 200, 200, 200, 403, 401],
  ['GET',    `${team}/kept`, undefined,                           200, 200, 200, 404, 404, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    team, undefined,                                     200, 200, 200, 404, 404, 200, 200, 200, 200, 200, 403, 401],
  ['DELETE', `${team}/deleted`, undefined,                        200, 200, 403, 404, 404, 200, 403, 200, 200, 200, 403, 401],
  ['POST',   `${team}/deleted:undelete`, {},                      200, 200, 403, 404, 404, 200, 403, 200, 200, 200, 403, 401],
  ['POST',   `${team}/kept/versions`, { value: base64('x') },     200, 200, 403, 404, 404, 200, 403, 200, 200, 200, 403, 401],
  ['GET',    `${team}/kept/versions/v1`, undefined,               200, 200, 200, 404, 404, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    `${team}/kept/versions`, undefined,                  200, 200, 200, 404, 404, 200, 200, 200, 200, 200, 403, 401],
  ['GET',    `${team}/kept/versions/v1:revealValue`, undefined,   200, 200, 403, 404, 404, 200, 403, 200, 200, 200, 403, 401],
  // What does not exist is told apart from what may not be known by members only.
  ['GET',    `${team}/none`, undefined,                           404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 401],
  ['GET',    `${team}/none/versions/v1:revealValue`, undefined,   404, 404, 403, 404, 404, 404, 403, 404, 404, 404, 403, 401],
];

describe('who may what with secrets', () => {
  let world: TestSecrets;
  before(async () => {
    world = await startTestSecrets();
    world.workspaces.roles.set('workspaces/team', { olga: 'owner', ada: 'editor', vic: 'viewer' });
    for (const id of ['kept', 'deleted']) await world.call('olga', 'POST', `${team}?secretId=${id}`, {});
    await world.call('olga', 'POST', `${team}/kept/versions`, { value: base64('kept') });
  });
  after(() => world?.stop());

  let made = 0;
  for (const [method, at, body, ...expected] of table)
    it(`${method} ${at}`, async () => {
      const answers: string[] = [];
      for (const token of who) {
        made += 1;
        const { status } = await world.call(token, method, at.replace('{new}', `n${made}`), body);
        answers.push(`${token || 'nobody'} ${status}`);
      }
      assert.deepEqual(
        answers,
        who.map((token, index) => `${token || 'nobody'} ${expected[index]}`),
      );
    });

  it('names every method of both services', () => {
    const methods = world.secrets.services
      .filter(({ desc }) => /\.Secret(Version)?Service$/.test(desc.typeName))
      .flatMap(({ methods }) => [...methods.keys()]);
    // Two rows are about what does not exist.
    assert.equal(methods.length, table.length - 2);
  });

  it('has a role that was withdrawn end at once', async () => {
    world.workspaces.roles.set('workspaces/brief', { ada: 'editor' });
    assert.equal((await world.call('ada', 'GET', 'workspaces/brief/secrets')).status, 200);
    world.workspaces.roles.set('workspaces/brief', {});
    assert.equal((await world.call('ada', 'GET', 'workspaces/brief/secrets')).status, 404);
  });
});

describe('what the audit trail hears of secrets', () => {
  let world: TestSecrets;
  before(async () => {
    world = await startTestSecrets({ revealRate: { perMinute: 1, burst: 4 } });
    world.workspaces.roles.set('workspaces/team', { ada: 'editor', olga: 'editor', vic: 'viewer' });
    await world.call('ada', 'POST', `${team}?secretId=kept`, {});
    await world.call('ada', 'POST', `${team}/kept/versions`, { value: base64('the value') });
  });
  after(() => world?.stop());
  const heard = () =>
    world.audit.actions.map(({ action, resource, principal, status }) =>
      [principal, action, resource, status?.code ?? 0].join(' '),
    );
  const revealed = `${team}/kept/versions/latest:revealValue`;

  it('hears of every change', () => {
    assert.deepEqual(heard(), [
      'users/ada actions/securestore/secrets/CREATE //secure-store/workspaces/team/secrets/kept 0',
      'users/ada actions/securestore/versions/CREATE //secure-store/workspaces/team/secrets/kept/versions/v1 0',
    ]);
  });

  it('hears of every reading, by which name and from where', async () => {
    world.audit.actions.length = 0;
    const answer = await world.server.inject({
      url: `/secure-store/v1/${revealed}`,
      headers: { authorization: 'Bearer ada', 'x-forwarded-for': '198.51.100.7', 'user-agent': 'curl/8' },
    });
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.deepEqual(world.audit.actions, [
      {
        ...{ action: 'actions/securestore/versions/REVEALVALUE', readOnly: true, principal: 'users/ada' },
        resource: '//secure-store/workspaces/team/secrets/kept/versions/v1',
        ...{ sourceIpAddress: '198.51.100.7', userAgent: 'curl/8' },
      },
    ]);
  });

  it('hears of who was refused', async () => {
    world.audit.actions.length = 0;
    assert.equal((await world.call('vic', 'GET', revealed)).status, 403);
    assert.deepEqual(heard(), [
      'users/vic actions/securestore/versions/REVEALVALUE //secure-store/workspaces/team/secrets/kept/versions/latest 7',
    ]);
  });

  it('hears of every value and every change that was refused, for whatever reason and to whomever', async () => {
    const kept = '//secure-store/workspaces/team/secrets/kept';
    for (const [token, method, at, body, status, said] of [
      [
        'mallory',
        'GET',
        revealed,
        undefined,
        404,
        `users/mallory versions/REVEALVALUE ${kept}/versions/latest 5`,
      ],
      ['', 'GET', revealed, undefined, 401, `users/unknown versions/REVEALVALUE ${kept}/versions/latest 16`],
      ['', 'DELETE', `${team}/kept`, undefined, 401, `users/unknown secrets/DELETE ${kept} 16`],
      [
        'ada@haic-service-core',
        'GET',
        revealed,
        undefined,
        403,
        `services/core versions/REVEALVALUE ${kept}/versions/latest 7`,
      ],
      [
        'ada',
        'POST',
        `${team}?secretId=No`,
        {},
        400,
        'users/ada secrets/CREATE //secure-store/workspaces/team/secrets 3',
      ],
      [
        'ada',
        'POST',
        `${team}/kept/versions`,
        { value: 7 },
        400,
        `users/ada versions/CREATE ${kept}/versions 3`,
      ],
      [
        'ada',
        'POST',
        `${team}?secretId=kept`,
        {},
        409,
        'users/ada secrets/CREATE //secure-store/workspaces/team/secrets 6',
      ],
      [
        '',
        'GET',
        team,
        undefined,
        401,
        'users/unknown secrets/LIST //secure-store/workspaces/team/secrets 16',
      ],
    ] as const) {
      world.audit.actions.length = 0;
      assert.equal((await world.call(token, method, at, body)).status, status, `${token} ${method} ${at}`);
      assert.deepEqual(heard(), [said.replace(/ (?=[a-z]+\/[A-Z])/i, ' actions/securestore/')]);
    }
  });

  it('hears of each method under the name of its authorization action', async () => {
    const heardActions = async (token: string, method: string, at: string) => {
      world.audit.actions.length = 0;
      await world.call(token, method, at, method === 'POST' ? {} : undefined);
      return world.audit.actions.map(({ action }) => action.replace('actions/securestore/', ''));
    };
    for (const [method, at, action] of [
      ['POST', `${team}?secretId=x`, 'secrets/CREATE'],
      ['GET', `${team}/kept`, 'secrets/GET'],
      ['GET', team, 'secrets/LIST'],
      ['DELETE', `${team}/kept`, 'secrets/DELETE'],
      ['POST', `${team}/kept:undelete`, 'secrets/UNDELETE'],
      ['POST', `${team}/kept/versions`, 'versions/CREATE'],
      ['GET', `${team}/kept/versions/v1`, 'versions/GET'],
      ['GET', `${team}/kept/versions`, 'versions/LIST'],
      ['GET', `${team}/kept/versions/v1:revealValue`, 'versions/REVEALVALUE'],
    ] as const)
      assert.deepEqual(await heardActions('', method, at), [action], `refused: ${method} ${at}`);
    // Of what succeeds, every change.
    await world.call('ada', 'POST', `${team}?secretId=brief`, {});
    assert.deepEqual(await heardActions('ada', 'DELETE', `${team}/brief`), ['secrets/DELETE']);
    assert.deepEqual(await heardActions('ada', 'POST', `${team}/brief:undelete`), ['secrets/UNDELETE']);
  });

  it('does not hear of who looks for what is not there', async () => {
    world.audit.actions.length = 0;
    assert.equal((await world.call('ada', 'GET', `${team}/nothing`)).status, 404);
    assert.equal((await world.call('mallory', 'GET', team)).status, 404);
    assert.deepEqual(heard(), []);
  });

  it('has no value leave that it could not hear of, and nothing change', async () => {
    world.audit.away = true;
    try {
      const answer = await world.call('ada', 'GET', revealed);
      assert.equal(answer.status, 500);
      assert.doesNotMatch(answer.text, new RegExp(base64('the value')));
      assert.equal((await world.call('ada', 'POST', `${team}?secretId=unheard`, {})).status, 500);
      assert.equal((await world.call('ada', 'DELETE', `${team}/kept`)).status, 500);
    } finally {
      world.audit.away = false;
    }
    assert.equal((await world.call('ada', 'GET', `${team}/unheard`)).status, 404);
    assert.equal((await world.call('ada', 'GET', `${team}/kept`)).body.secret.state, 'STATE_ACTIVE');
  });

  it('has nobody read values without end, and says when to go on', async () => {
    let answer = await world.call('ada', 'GET', revealed);
    for (let tries = 0; answer.status === 200 && tries < 10; tries++)
      answer = await world.call('ada@haic-app-1', 'GET', revealed);
    assert.deepEqual([answer.status, answer.body.code], [429, 8]);
    assert.match(heard().at(-1) ?? '', /^users\/ada .*REVEALVALUE .* 8$/);
    assert.match(answer.body.message, /Wait \d+ seconds/);
    assert.match(String(answer.headers['retry-after']), /^\d+$/);
    assert.equal((await world.call('vic', 'GET', `${team}/kept`)).status, 200);
    assert.equal((await world.call('olga', 'GET', revealed)).status, 200, 'nobody else is held up');
  });

  it('never hears a value, and neither does the log or an error', async () => {
    const { call, log, audit } = world;
    const value = 'correct horse battery staple';
    for (const body of [
      { value: base64(value) },
      { value },
      `{"value": "${base64(value)}"`,
      { values: base64(value) },
    ])
      await call('ada', 'POST', `${team}/kept/versions`, body);
    await call('ada', 'POST', `${team}/none/versions`, { value: base64(value) });
    const broken = await call('ada', 'POST', `${team}/kept/versions`, { value: `${base64(value)}!` });
    const said = [...log, JSON.stringify(audit.actions), broken.text].join('\n');
    assert.doesNotMatch(said, /correct horse|Y29ycmVjdCBob3JzZ/);
  });
});
