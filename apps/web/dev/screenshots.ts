// `node apps/web/dev/screenshots.ts <directory> [part of a name]`: the pages of the built portal, light and dark, wide and narrow,
// from a stand-in of the platform. To look at, before a change of the portal is called done.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { browserOptions } from '../test/browser.ts';
import { grace } from './stand-in/samples.ts';
import { StandIn } from './stand-in/stand-in.ts';

const directory = process.argv[2];
if (directory === undefined) throw new Error('Say where to: node apps/web/dev/screenshots.ts <directory>');
await mkdir(directory, { recursive: true });

const standIn = await new StandIn().start();
const browser = await chromium.launch(browserOptions);
const appNamed = (name: string) => {
  const app = standIn.apps.find((candidate) => candidate.name === name);
  if (app === undefined) throw new Error(`No sample ${name}`);
  return app;
};

const pageOf = (displayName: string): string =>
  `/${standIn.workspaces.find(({ workspace }) => workspace.displayName === displayName)?.workspace.name}`;

const ready = standIn.run(appNamed('ai.h2o.churn'), 'PRIVATE');
standIn.run(appNamed('ai.h2o.market'), 'PRIVATE', grace);
const failed = standIn.run(appNamed('ai.h2o.broken'), 'ALL_USERS');
await new Promise((resolve) => setTimeout(resolve, standIn.stageMilliseconds * 6));
standIn.stageMilliseconds = 100_000;
const starting = standIn.run(appNamed('ai.h2o.hello'), 'PUBLIC');

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly prepare?: (page: Page) => Promise<unknown>;
}

const shots: readonly Shot[] = [
  { name: 'store', path: '/' },
  { name: 'store-search', path: '/?q=finance' },
  { name: 'store-tag', path: '/?tag=Sample' },
  { name: 'store-nothing', path: '/?q=zzz' },
  { name: 'app', path: `/apps/${appNamed('ai.h2o.churn').id}` },
  {
    name: 'app-run',
    path: `/apps/${appNamed('ai.h2o.churn').id}`,
    prepare: (page) => page.getByRole('button', { name: 'Run', exact: true }).click(),
  },
  { name: 'app-failing', path: `/apps/${appNamed('org.example.retired').id}` },
  {
    name: 'app-hand-over',
    path: `/apps/${appNamed('ai.h2o.hello').id}`,
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Manage this app' }).click();
      await page.getByRole('menuitem', { name: 'Hand over this version' }).click();
    },
  },
  { name: 'app-nothing-to-visit', path: `/apps/${appNamed('ai.h2o.market').id}?visit=none` },
  { name: 'app-managed', path: `/apps/${appNamed('ai.h2o.market').id}` },
  { name: 'app-link', path: `/apps/${appNamed('org.example.docs').id}` },
  { name: 'instance-ready', path: `/instances/${ready.data.id}` },
  { name: 'instance-failed', path: `/instances/${failed.data.id}` },
  { name: 'instance-starting', path: `/instances/${starting.data.id}` },
  { name: 'instances', path: '/instances' },
  { name: 'my-apps', path: '/my-apps' },
  {
    name: 'my-apps-delete',
    path: '/my-apps',
    prepare: async (page) => {
      for (const title of ['Churn explorer', 'Hello'])
        await page.getByRole('checkbox', { name: `Select ${title} 1.2.0` }).check();
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByText('0 deleted, 2 not').waitFor();
    },
  },
  { name: 'import', path: '/import' },
  {
    name: 'import-problems',
    path: '/import',
    prepare: async (page) => {
      await page.setInputFiles('input[type=file]', {
        name: 'broken.wave',
        mimeType: 'application/zip',
        buffer: Buffer.from('not a zip'),
      });
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByRole('list', { name: 'Problems of the bundle' }).waitFor();
    },
  },
  { name: 'workspaces', path: '/workspaces' },
  { name: 'workspaces-deleted', path: '/workspaces?state=deleted' },
  { name: 'workspaces-all', path: '/workspaces?all=true' },
  {
    name: 'workspaces-make',
    path: '/workspaces',
    prepare: (page) => page.getByRole('button', { name: 'Make a workspace' }).click(),
  },
  { name: 'workspace-shared', path: pageOf('Fraud detection') },
  { name: 'workspace-viewed', path: pageOf('Churn') },
  { name: 'workspace-personal', path: pageOf('Personal workspace of ada') },
  { name: 'workspace-orphan', path: pageOf('Left behind') },
  { name: 'workspace-deleted', path: pageOf('Old experiments') },
  {
    name: 'workspace-add',
    path: pageOf('Fraud detection'),
    prepare: (page) => page.getByRole('button', { name: 'Add a member' }).click(),
  },
  { name: 'access', path: '/cli-and-api-access' },
  {
    name: 'access-token',
    path: '/auth/get-platform-token',
    prepare: (page) => page.getByTestId('token').waitFor(),
  },
  { name: 'tokens', path: '/account/tokens' },
  {
    name: 'tokens-revoke',
    path: '/account/tokens',
    prepare: (page) =>
      page
        .getByRole('button', { name: /^Revoke/ })
        .first()
        .click(),
  },
  {
    name: 'audit',
    path: '/admin/audit',
    prepare: (page) => page.getByRole('button', { name: /grace.hopper tried to sign in/ }).click(),
  },
  { name: 'audit-custom', path: '/admin/audit?range=custom&kind=people&outcome=failed' },
  { name: 'activity', path: '/account/activity' },
  { name: 'people', path: '/admin/people?q=a' },
  { name: 'people-nobody', path: '/admin/people?q=zzz' },
  {
    name: 'people-add',
    path: '/admin/people?q=grace',
    prepare: (page) => page.getByRole('button', { name: 'Add a person' }).click(),
  },
  {
    name: 'people-actions',
    path: '/admin/people?q=grace',
    prepare: (page) => page.getByRole('button', { name: 'Actions for grace.hopper' }).click(),
  },
  {
    name: 'people-password',
    path: '/admin/people?q=grace',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for grace.hopper' }).click();
      await page.getByRole('menuitem', { name: 'Reset password' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Reset password' }).click();
      await page.getByTestId('password').waitFor();
    },
  },
  { name: 'person', path: '/admin/people/grace.hopper/account' },
  {
    name: 'person-quota',
    path: '/admin/people/grace.hopper/account',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Change the quota of grace.hopper' }).click();
      await page.getByRole('radio', { name: 'A limit of its own' }).check();
    },
  },
  {
    name: 'people-disable',
    path: '/admin/people?q=grace',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for grace.hopper' }).click();
      await page.getByRole('menuitem', { name: 'Disable' }).click();
      await page.getByText('grace.hopper owns').waitFor();
    },
  },
  {
    name: 'people-hand-over',
    path: '/admin/people?q=grace',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for grace.hopper' }).click();
      await page.getByRole('menuitem', { name: 'Hand over what they own' }).click();
      await page.getByRole('radio').first().waitFor();
    },
  },
  { name: 'groups', path: '/admin/groups' },
  {
    name: 'groups-delete',
    path: '/admin/groups',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for members' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
    },
  },
  { name: 'group-members', path: `/admin/groups/${standIn.groups[0]?.id}` },
  {
    name: 'group-add-member',
    path: `/admin/groups/${standIn.groups[0]?.id}`,
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Add a member' }).click();
      await page.getByRole('radio').first().waitFor();
    },
  },
  { name: 'service-accounts', path: '/admin/service-accounts' },
  {
    name: 'service-account-add',
    path: '/admin/service-accounts',
    prepare: (page) => page.getByRole('button', { name: 'Make a service account' }).click(),
  },
  {
    name: 'service-account-rotate',
    path: '/admin/service-accounts',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for nightly-build' }).click();
      await page.getByRole('menuitem', { name: 'New secret' }).click();
    },
  },
  { name: 'accounts', path: '/connected-accounts' },
  { name: 'accounts-returned', path: '/connected-accounts?returned=corp/mine' },
  { name: 'accounts-refused', path: '/connected-accounts?returned=hub/mine' },
  { name: 'accounts-nothing', path: '/connected-accounts', prepare: (page) => withoutAccounts(page) },
  {
    name: 'accounts-connect',
    path: '/connected-accounts',
    prepare: (page) => page.getByRole('button', { name: 'Connect an account' }).click(),
  },
  {
    name: 'accounts-disconnect',
    path: '/connected-accounts',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for corp/mine' }).click();
      await page.getByRole('menuitem', { name: 'Disconnect' }).click();
    },
  },
  {
    name: 'accounts-use',
    path: '/connected-accounts',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for corp/mine' }).click();
      await page.getByRole('menuitem', { name: 'Use it in apps' }).click();
    },
  },
  { name: 'clients', path: '/admin/oauth-clients' },
  {
    name: 'clients-new',
    path: '/admin/oauth-clients',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Register a client' }).click();
      await page.getByRole('textbox', { name: 'Id', exact: true }).fill('idp');
      await page.getByRole('switch', { name: 'Plain OAuth 2.0' }).check({ force: true });
    },
  },
  {
    name: 'clients-delete',
    path: '/admin/oauth-clients',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for corp' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await page.getByText('people lose').waitFor();
    },
  },
  { name: 'secrets', path: '/secrets' },
  { name: 'secrets-nothing', path: '/secrets?q=zzz' },
  {
    name: 'secrets-workspace',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Fraud detection (Owner)' });
      await page.getByRole('button', { name: 'Actions for service-token' }).click();
    },
  },
  {
    name: 'secrets-workspace-versions',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Fraud detection (Owner)' });
      await page.getByRole('button', { name: 'Actions for service-token' }).click();
      await page.getByRole('menuitem', { name: 'Versions' }).click();
      await page.getByText('what apps get').waitFor();
    },
  },
  {
    name: 'secrets-workspace-new',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Fraud detection (Owner)' });
      await page.getByRole('button', { name: 'Keep one here' }).click();
    },
  },
  {
    name: 'secrets-workspace-viewer',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Churn (Viewer)' });
      await page.getByText('You are a viewer here').waitFor();
    },
  },
  {
    name: 'secrets-new',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Keep a secret' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('warehouse.Main');
      await page.getByRole('textbox', { name: 'Key 1' }).fill('password');
      await page.getByRole('textbox', { name: 'Value 1' }).fill('hidden-and-long');
      await page.getByRole('button', { name: 'Add a key' }).click();
    },
  },
  {
    name: 'secrets-change',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for warehouse.readonly' }).click();
      await page.getByRole('menuitem', { name: 'Change' }).click();
      await page.getByRole('button', { name: 'Replace value 1' }).click();
    },
  },
  {
    name: 'secrets-values',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for maps-service' }).click();
      await page.getByRole('menuitem', { name: 'Show values' }).click();
      await page.getByRole('button', { name: 'Show the values' }).click();
      await page.getByTestId('value').first().waitFor();
    },
  },
  {
    name: 'secrets-manifest',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for warehouse.readonly' }).click();
      await page.getByRole('menuitem', { name: 'Copy as app.toml' }).click();
    },
  },
  {
    name: 'secrets-used',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for warehouse.readonly' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await page.getByRole('list', { name: 'Apps that use it' }).waitFor();
    },
  },
  {
    name: 'secrets-deleted',
    path: '/secrets',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Actions for mail' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('button', { name: 'Undo' }).waitFor();
      for (const one of standIn.secrets) one.deleted = false;
    },
  },
  { name: 'roles', path: '/admin/roles' },
  { name: 'role-members', path: '/admin/roles/admin/members' },
  { name: 'admin-apps', path: '/admin/apps?q=m' },
  { name: 'admin-apps-owner', path: '/admin/apps?owner=grace.hopper&visibility=PUBLIC' },
  { name: 'admin-instances', path: '/admin/instances' },
  {
    name: 'admin-instances-actions',
    path: '/admin/instances?owner=grace.hopper',
    prepare: (page) =>
      page
        .getByRole('button', { name: /^Actions for/ })
        .first()
        .click(),
  },
  { name: 'former-people', path: '/admin/former-people' },
  {
    name: 'former-people-notice',
    path: '/admin/people?q=grace',
    prepare: async (page) => {
      const left = Promise.withResolvers<void>();
      await page.route('**/hand-over', async (route) => {
        await left.promise;
        await route.continue();
      });
      await page.getByRole('button', { name: 'Actions for grace.hopper', exact: true }).click();
      await page.getByRole('menuitem', { name: 'Hand over what they own' }).click();
      await page.getByRole('searchbox', { name: 'New owner' }).fill('guest');
      await page.getByRole('radio', { name: 'A guest' }).check();
      await page.getByRole('checkbox', { name: 'Credit risk 1.2.0' }).waitFor();
      await page.getByRole('dialog').getByRole('button', { name: 'Hand over' }).click();
      await page.keyboard.press('Escape');
      left.resolve();
      await page.getByRole('region', { name: 'What went wrong meanwhile' }).waitFor();
    },
  },
  { name: 'former-people-nobody', path: '/admin/former-people?q=zzz' },
  ...['Hand over', 'Purge'].map((action) => ({
    name: `former-people-${action === 'Purge' ? 'purge' : 'hand-over'}`,
    path: '/admin/former-people',
    prepare: async (page: Page) => {
      await page.getByRole('button', { name: 'Actions for alan.turing' }).click();
      await page.getByRole('menuitem', { name: action }).click();
      if (action === 'Hand over') await page.getByRole('radio').first().waitFor();
    },
  })),
  { name: 'drive', path: '/drive' },
  { name: 'drive-folder', path: '/drive?folder=home/' },
  { name: 'drive-empty', path: '/drive?q=zzz' },
  ...[
    { name: 'table', file: 'customers.csv' },
    { name: 'markdown', file: 'notes.md' },
    { name: 'html', file: 'page.html' },
  ].map(({ name, file }) => ({
    name: `drive-preview-${name}`,
    path: '/drive?folder=home/',
    prepare: (page: Page) => page.getByRole('button', { name: file, exact: true }).click(),
  })),
  ...['Share by link', 'Move to', 'Rename'].map((action) => ({
    name: `drive-${action.split(' ')[0]?.toLowerCase()}`,
    path: '/drive',
    prepare: async (page: Page) => {
      await page.getByRole('button', { name: 'Actions for readme.txt' }).click();
      await page.getByRole('menuitem', { name: action }).click();
      if (action === 'Share by link') await page.getByRole('button', { name: 'Make a link' }).click();
    },
  })),
  {
    name: 'drive-deleted',
    path: '/drive',
    prepare: async (page) => {
      await page.getByRole('checkbox', { name: 'Select picture.svg' }).check();
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByText('picture.svg is deleted').waitFor();
    },
  },
  {
    name: 'drive-trash',
    path: '/drive',
    prepare: (page) => page.getByRole('button', { name: 'Trash' }).click(),
  },
  {
    name: 'drive-programs',
    path: '/drive?folder=home/',
    prepare: (page) => page.getByRole('button', { name: 'From programs' }).click(),
  },
  {
    name: 'drive-uploads',
    path: '/drive?folder=home/',
    prepare: async (page) => {
      standIn.drive.delay = 3000;
      await page.getByLabel('Files to upload').setInputFiles([
        { name: 'large.bin', mimeType: '', buffer: Buffer.alloc(300_000) },
        { name: 'customers.csv', mimeType: 'text/csv', buffer: Buffer.from('a') },
      ]);
      await page.getByText('There is one of this name').waitFor();
    },
  },
  {
    name: 'account-menu',
    path: '/',
    prepare: (page) => page.getByRole('button', { name: /Account of/ }).click(),
  },
  { name: 'palette', path: '/', prepare: (page) => page.keyboard.press('Control+k') },
  { name: 'not-found', path: '/nowhere' },
  { name: 'down', path: '/', prepare: (page) => whileDown(page) },
  { name: 'sign-in', path: '/', prepare: (page) => whileSignedOut(page) },
];

async function withoutAccounts(page: Page): Promise<void> {
  const { accounts } = standIn;
  standIn.accounts = [];
  await page.reload();
  await page.getByText('No connected accounts yet').waitFor();
  standIn.accounts = accounts;
}

async function whileDown(page: Page): Promise<void> {
  standIn.down = true;
  await page.getByText('does not answer just now').waitFor();
}

async function whileSignedOut(page: Page): Promise<void> {
  standIn.signedIn = false;
  await page.reload();
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360]) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: width > 600 ? 800 : 740 },
    });
    const page = await context.newPage();
    for (const shot of shots.filter(({ name }) => name.includes(process.argv[3] ?? ''))) {
      await page.goto(standIn.url + shot.path);
      await page.waitForTimeout(200);
      await shot.prepare?.(page);
      await page.waitForTimeout(250);
      await page.screenshot({
        path: join(directory, `${shot.name}-${width}-${colorScheme}.png`),
        fullPage: true,
      });
      standIn.down = false;
      standIn.signedIn = true;
    }
    await context.close();
  }
}
await browser.close();
await standIn.stop();
