import type { Command } from 'commander';
import { connectApi } from '../api.ts';
import {
  extendInstance,
  getInstance,
  instanceStatus,
  listInstances,
  redeployInstance,
  resumeInstance,
  suspendInstance,
  terminateInstance,
  updateInstance,
} from '../instances.ts';
import { instanceLogs } from '../logs.ts';
import { type Changes, type CommonFlags, onOne, withChanges, withJson } from './options.ts';

interface LogFlags extends CommonFlags {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: string;
}

/** `admin instance`: what owners do not do themselves. */
export function adminInstanceCommands(admin: Command): void {
  const instance = admin.command('instance').description('instances of everybody');
  onOne(
    instance.command('redeploy <id>').description('apply what is set up on the server now'),
    redeployInstance,
  );
}

export function instanceCommands(program: Command): void {
  const instance = program.command('instance').description('running apps');
  withJson(
    instance
      .command('list')
      .description('your own instances, the newest first')
      .option('-a, --all', 'everything visible, not only your own')
      .option('-w, --wide', 'more columns'),
  ).action(async (flags: CommonFlags & { all?: boolean; wide?: boolean }) =>
    listInstances(await connectApi(flags), {
      all: flags.all === true,
      wide: flags.wide === true,
      json: flags.json === true,
    }),
  );
  onOne(instance.command('get <id>').description('one instance'), getInstance);
  onOne(instance.command('status <id>').description('how it is, and why'), instanceStatus);
  onOne<LogFlags>(
    instance
      .command('logs <id>')
      .description('what it wrote')
      .option('-f, --follow', 'go on as lines are written, until it ends')
      .option('-p, --previous', 'of the process before the last restart')
      .option('--tail <lines>', 'only the last lines'),
    (api, id, flags) =>
      instanceLogs(api, id, {
        follow: flags.follow === true,
        previous: flags.previous === true,
        json: flags.json,
        ...(flags.tail === undefined ? {} : { tail: flags.tail }),
      }),
  );
  for (const [name, description, act] of [
    ['suspend', 'pause it; its data volume is kept', suspendInstance],
    ['resume', 'start a paused one again', resumeInstance],
    ['extend', 'set back the time until it pauses by itself', extendInstance],
  ] as const)
    onOne(instance.command(`${name} <id>`).description(description), act);
  onOne<CommonFlags & Changes>(
    withChanges(
      instance
        .command('update <id>')
        .description(
          'change who may open it or, for administrators and while its owner is disabled, whose it is',
        ),
    ),
    updateInstance,
  );
  onOne<CommonFlags & { yes?: boolean }>(
    instance
      .command('terminate <id>')
      .description('end it, and delete its data, for good')
      .option('-y, --yes', 'do not ask'),
    (api, id, flags) => terminateInstance(api, id, { yes: flags.yes === true, json: flags.json }),
  );
}

/** `-wide`, as scripts write it, is four short flags to every parser of today. */
export const withLongWide = (words: readonly string[]): string[] =>
  words.map((word) => (word === '-wide' ? '--wide' : word));
