import type { ServerSettings } from '@haic/server/settings.ts';
import { confirm, print, record, say, table } from '../terminal.ts';
import { allPages } from './pages.ts';
import { asOperator } from './users.ts';

interface Resource {
  readonly name: string;
  readonly audience: string;
  readonly description: string;
  readonly scopes: readonly string[];
  readonly apps: readonly string[];
  readonly serviceAccounts: readonly string[];
}
type Fields = Partial<Pick<Resource, 'description' | 'scopes' | 'apps' | 'serviceAccounts'>>;

const base = '/internal/identity/foreign-resources';
const pathOf = (name: string) => `${base}/${encodeURIComponent(name)}`;

export const addForeignResource = (
  settings: ServerSettings,
  wanted: Fields & { readonly name: string; readonly audience: string },
  options: { json: boolean },
): Promise<void> =>
  asOperator(settings, async (operator) => {
    const made = await operator.call<Resource>('POST', base, wanted);
    print(options.json ? JSON.stringify(made, undefined, 2) : described(made));
    if (made.apps.length + made.serviceAccounts.length === 0)
      say(`Nobody may ask for its tokens yet: ./haic foreign-resource change ${made.name} --app ID`);
    else say('How an app asks: docs/foreign-resources.md');
  });

export const listForeignResources = (settings: ServerSettings, options: { json: boolean }): Promise<void> =>
  asOperator(settings, async (operator) => {
    const resources = await allPages<Resource>(operator, base);
    if (options.json) return print(JSON.stringify(resources, undefined, 2));
    const rows = resources.map((one) => [
      one.name,
      one.audience,
      one.scopes.join(','),
      one.apps.join(','),
      one.serviceAccounts.join(','),
    ]);
    print(table(['NAME', 'AUDIENCE', 'SCOPES', 'APPS', 'SERVICE ACCOUNTS'], rows));
  });

export const changeForeignResource = (
  settings: ServerSettings,
  name: string,
  changes: Fields,
): Promise<void> =>
  asOperator(settings, async (operator) =>
    print(described(await operator.call<Resource>('PATCH', pathOf(name), changes))),
  );

export const removeForeignResource = (
  settings: ServerSettings,
  name: string,
  options: { yes: boolean },
): Promise<void> =>
  asOperator(settings, async (operator) => {
    if (!options.yes) await confirm(`Remove ${name}? Apps get no tokens for it any more.`, '--yes');
    await operator.call('DELETE', pathOf(name));
    say(`${name} is removed. Tokens that were exchanged for it end within two minutes.`);
  });

const described = (resource: Resource): string =>
  record([
    ['Name', resource.name],
    ['Audience', resource.audience],
    ['Description', resource.description],
    ['Scopes', resource.scopes.join(',')],
    ['Apps', resource.apps.join(',')],
    ['Service accounts', resource.serviceAccounts.join(',')],
  ]);
