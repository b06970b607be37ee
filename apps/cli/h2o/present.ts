import { record, say } from '../terminal.ts';
import type { App, Instance } from './api.ts';

const statusWords: Readonly<Record<string, string>> = {
  PENDING: 'Pending',
  STARTING: 'Starting',
  DEPLOYED: 'Deployed',
  FAILED: 'Failed',
  SUSPENDED: 'Paused',
  TERMINATING: 'Terminating',
};

/** The words that scripts know (app-store.md §3); `--json` has the API's own. */
export const statusWord = (status: string): string => statusWords[status] ?? status;

/** Exactly these lines in this order: release scripts cut them (app-store.md §9). */
export const appRecord = (app: App): string =>
  record([
    ['ID', app.id],
    ['Title', app.title],
    ['Version', app.version],
    ['Created At', app.createdAt],
    ['Updated At', app.updatedAt],
    ['Owner', app.owner.username],
    ['Visibility', app.visibility],
    ['Description', app.description],
    ['Tags', app.tags.join(',')],
  ]);

export const instanceRecord = (instance: Instance): string =>
  record([
    ['ID', instance.id],
    ['App', `${instance.app.title} ${instance.app.version}`],
    ['App ID', instance.app.id],
    ['Created At', instance.createdAt],
    ['Updated At', instance.updatedAt],
    ['Status', statusWord(instance.status)],
    ['Visibility', instance.visibility],
    ['URL', instance.url],
    ['Owner', instance.owner.username],
    ['Readonly', String(!instance.canManage)],
    ['Suspendable', String(instance.canManage)],
    ['Suspend After', instance.suspendAfter === 'never' ? 'never' : (instance.suspendAt ?? '')],
  ]);

/** An app that cannot be run as things are says so beside its data. */
export function sayPrecondition({ precondition }: App): void {
  if (precondition?.status !== 'FAILED') return;
  say('This app cannot be run:');
  for (const problem of precondition.problems) say(`  - ${problem.message} (${problem.code})`);
}

/** A word for a column: how things are, and the codes of what is wrong. */
export const preconditionWord = ({ precondition }: App): string =>
  [precondition?.status ?? 'UNKNOWN', ...(precondition?.problems ?? []).map(({ code }) => code)].join(',');
