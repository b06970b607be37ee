import type { Principal } from '@haic/kit/auth/principal.ts';
import { HaicError, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import type { App, CatalogClient } from '../catalog/client.ts';
import type { HandOver } from './hand-over.ts';
import type { Instances } from './instances.ts';
import { type Instance, isToRun } from './model.ts';
import { enforce, mayAdministerBelongings } from './policy.ts';

export interface Belongings {
  readonly apps: readonly App[];
  readonly instances: readonly Instance[];
  /** How many of the instances run or are to run. */
  readonly running: number;
}

/** What became of one thing that was to be handed over. */
export interface Outcome {
  readonly id: string;
  readonly problem: { readonly code: string; readonly message: string } | undefined;
}

export interface BelongingsService {
  /** Of a person, or of whoever had this user name and is gone. 404 when neither is known. */
  of(actor: Principal, username: string): Promise<Belongings>;
  /** All of it, or what is picked, to `to`. One that cannot be handed over keeps no other from it. */
  handOver(
    actor: Principal,
    username: string,
    request: { to: string; apps?: readonly string[]; instances?: readonly string[] },
  ): Promise<{ apps: readonly Outcome[]; instances: readonly Outcome[] }>;
}

export function createBelongings(options: {
  readonly instances: Instances;
  readonly identity: IdentityClient;
  readonly catalog: CatalogClient;
  readonly handOver: HandOver['handOver'];
  readonly logger: Logger;
}): BelongingsService {
  const { identity, catalog, logger } = options;

  async function of(actor: Principal, username: string): Promise<Belongings> {
    const by = await identity.findPerson(actor.subject);
    enforce(mayAdministerBelongings(by), 'What this person owns');
    const person = await identity.findPersonByName(username);
    const name = username.trim().toLowerCase();
    const owner = person === undefined ? { username: name } : { subject: person.subject };
    const theirs = [
      ...(await options.instances.inOrder(
        person === undefined ? { username: name } : { owner: person.subject },
      )),
    ];
    const apps = await catalog.appsOwnedBy(owner);
    if (person === undefined && theirs.length + apps.length === 0)
      throw notFound(`The person "${username.slice(0, 60)}"`);
    return {
      apps,
      instances: theirs.map(({ instance }) => instance),
      running: theirs.filter(({ workload }) => isToRun(workload)).length,
    };
  }

  async function each(
    ids: readonly string[],
    theirs: readonly { readonly id: string }[],
    give: (id: string) => Promise<unknown>,
  ): Promise<Outcome[]> {
    const owned = new Set(theirs.map(({ id }) => id));
    const outcomes: Outcome[] = [];
    for (const id of new Set(ids)) {
      try {
        if (!owned.has(id)) throw notFound('Among what this person owns this');
        await give(id);
        outcomes.push({ id, problem: undefined });
      } catch (error) {
        outcomes.push({ id, problem: problemOf(error, logger) });
      }
    }
    return outcomes;
  }

  return {
    of,
    async handOver(actor, username, { to, ...picked }) {
      const all = await of(actor, username);
      const everything = picked.apps === undefined && picked.instances === undefined;
      const idsOf = (things: readonly { readonly id: string }[], chosen: readonly string[] | undefined) =>
        everything ? things.map(({ id }) => id) : (chosen ?? []);
      // Apps first: whoever gets an instance of a private app of theirs may then look at that app, too.
      const apps = await each(idsOf(all.apps, picked.apps), all.apps, (id) =>
        catalog.handOver(actor, id, to),
      );
      const instances = await each(idsOf(all.instances, picked.instances), all.instances, (id) =>
        options.handOver(actor, id, to),
      );
      return { apps, instances };
    },
  };
}

function problemOf(error: unknown, logger: Logger): Outcome['problem'] {
  if (error instanceof HaicError) return { code: error.code, message: error.message };
  logger.error({ err: error }, 'Something could not be handed over.');
  return { code: 'internal', message: 'Something went wrong inside Haic. The log has the details.' };
}
