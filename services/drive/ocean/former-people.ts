import type { Principal } from '@haic/kit/auth/principal.ts';
import { invalid, messageOf, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { IdentityClient } from '@haic/services/identity/client.ts';
import { bucketOfPerson } from '../buckets.ts';
import type { Bucket } from '../model.ts';
import type { ObjectService } from '../service.ts';
import type { Usage, UsageStore } from '../usage/store.ts';
import { administratorOf } from './administrator.ts';
import { copyObject, objectsOf } from './changes.ts';
import type { FormerPeopleStore, FormerPerson, Place } from './former-people-store.ts';
import type { Operation } from './model.ts';
import type { RemoveBucket } from './removal.ts';
import type { Runner, Work } from './runner.ts';
import type { OceanStore } from './store.ts';
import { newId, trashOf } from './trash.ts';

/** As long as a deleted workspace can be restored. */
const keptMs = 30 * 24 * 60 * 60 * 1000;
const patienceMs = 1500;
const listingMs = 60_000;

export interface FormerPeopleParts {
  readonly people: FormerPeopleStore;
  readonly identity: Pick<IdentityClient, 'findPerson' | 'findPersonByName' | 'activeAmong'>;
  /** Removed, and not only disabled. */
  readonly isGone: (subject: string) => Promise<boolean>;
  readonly objects: ObjectService;
  readonly usage: Pick<UsageStore, 'usageOf'>;
  readonly operations: Pick<OceanStore, 'findAll'>;
  readonly runner: Runner;
  readonly removeBucket: RemoveBucket;
  readonly logger: Logger;
  readonly now: () => Date;
}

export interface FormerPersonView extends FormerPerson {
  readonly usage: Usage;
  /** Is not handed over. */
  readonly trash: Usage;
  /** The last hand-over or purge, as long as it is known. */
  readonly operation: Operation | undefined;
}

const named = ({ username, subject }: FormerPerson): string => `of ${username === '' ? subject : username}`;

export type FormerPeople = ReturnType<typeof createFormerPeople>;

/**
 * What those who are gone left in their own buckets: kept for an administrator, who may hand it over, and then removed. Who comes back before that
 * (an issuer of the organisation may have been mistaken) finds all of it.
 */
export function createFormerPeople(parts: FormerPeopleParts) {
  const { people, identity, isGone, objects, usage, operations, removeBucket, logger, now } = parts;

  /** Also by the store, since what was written last may not be accounted for yet. */
  async function isEmpty(bucket: Bucket): Promise<boolean> {
    for (const one of [bucket, trashOf(bucket)]) {
      const { bytes, objects: count } = await usage.usageOf(one.prefix);
      if (bytes > 0 || count > 0) return false;
      const page = await objects.list(one, { prefix: '', limit: 1, signal: AbortSignal.timeout(listingMs) });
      if (page.objects.length > 0) return false;
    }
    return true;
  }

  async function note(subject: string, username: string): Promise<void> {
    const endedAt = now();
    await people.keep({ subject, username, endedAt, purgeAt: new Date(endedAt.getTime() + keptMs) });
  }

  /** Whom nobody told of: the platform was killed in between, or the issuer tells nobody. */
  async function noteUnnoted(): Promise<void> {
    for await (const subjects of people.owners()) {
      const active = new Set(await identity.activeAmong(subjects));
      for (const subject of subjects)
        if (!active.has(subject) && (await isGone(subject)))
          await ((await isEmpty(bucketOfPerson(subject)))
            ? removeBucket(bucketOfPerson(subject))
            : note(subject, ''));
    }
  }

  async function purge({ subject, username }: FormerPerson): Promise<void> {
    if (await isGone(subject)) {
      await removeBucket(bucketOfPerson(subject));
      logger.info({ subject, username }, 'What somebody who is gone had in Drive was removed.');
    }
    await people.forget(subject);
  }

  const administrator = (actor: Principal) =>
    administratorOf(identity, actor, 'see what those who are gone left in Drive');

  async function find(subject: string): Promise<FormerPerson> {
    const person = await people.find(subject);
    if (person !== undefined && (await isGone(subject))) return person;
    // They came back, and it is theirs.
    if (person !== undefined) await people.forget(subject);
    throw notFound('Somebody who is gone and left something in Drive');
  }

  /** What fails is told in the list, too: whoever asked for it may not have waited for its end. */
  async function begin({ subject }: FormerPerson, work: Work): Promise<Operation> {
    const id = newId();
    await people.began(subject, id);
    return parts.runner.run(id, work, patienceMs);
  }

  return {
    whenPersonEnds: async (subject: string, username = ''): Promise<void> => {
      if ((await isGone(subject)) && !(await isEmpty(bucketOfPerson(subject)))) await note(subject, username);
    },
    list: async (
      actor: Principal,
      query: string,
      after: Place | undefined,
      limit: number,
    ): Promise<readonly FormerPersonView[]> => {
      await administrator(actor);
      const page = await people.page(query, after, limit);
      const begun = await operations.findAll(page.flatMap(({ operationId }) => operationId ?? []));
      return Promise.all(
        page.map(async (person) => {
          const bucket = bucketOfPerson(person.subject);
          const [own, trash] = await Promise.all([
            usage.usageOf(bucket.prefix),
            usage.usageOf(trashOf(bucket).prefix),
          ]);
          const operation = begun.get(person.operationId ?? '');
          return { ...person, usage: own, trash, operation };
        }),
      );
    },
    /** Into a folder of somebody's own bucket, whose quota counts. What did not fit is moved when it is asked for again. */
    handOver: async (actor: Principal, subject: string, to: string): Promise<Operation> => {
      const by = await administrator(actor);
      const former = await find(subject);
      const heir = await identity.findPersonByName(to);
      if (heir === undefined || heir.disabled)
        throw invalid(
          'unsuitable_owner',
          `Nobody of the user name "${to.slice(0, 60)}" may sign in here. Choose somebody who may.`,
        );
      const bucket = bucketOfPerson(subject);
      const into = `from ${former.username === '' ? subject.replaceAll('/', '_') : former.username}/`;
      const target = bucketOfPerson(heir.subject);
      const work: Work = {
        ...{ kind: 'MOVE', subject: by.subject, bucket: named(former) },
        items: (signal) => objectsOf(objects, bucket, [''], signal),
        handle: async (key, signal) => {
          const step = { source: { bucket, key }, target: { bucket: target, key: into + key } };
          await copyObject(objects, step, 'KEEP_BOTH', signal);
          await objects.remove(bucket, key, { signal });
        },
        // Nothing is left to tell an administrator of.
        finish: async () => {
          if (await isEmpty(bucket)) await people.forget(subject);
        },
      };
      return begin(former, work);
    },
    /** All of it, with what is in the trash and what was begun, before its time. Nothing brings it back. */
    purge: async (actor: Principal, subject: string): Promise<Operation> => {
      const by = await administrator(actor);
      const former = await find(subject);
      const bucket = bucketOfPerson(subject);
      let going: AbortSignal | undefined;
      const work: Work = {
        ...{ kind: 'DELETE', subject: by.subject, bucket: named(former) },
        items: (signal) => {
          going = signal;
          return objectsOf(objects, bucket, [''], signal);
        },
        handle: (key, signal) => objects.remove(bucket, key, { signal }),
        // Who cancels it keeps the rest.
        finish: async () => {
          if (going?.aborted !== true) await purge(former);
        },
      };
      return begin(former, work);
    },
    sweep: async (): Promise<void> => {
      await noteUnnoted();
      for (const person of await people.due(now()))
        await purge(person).catch((error: unknown) =>
          logger.warn(
            { subject: person.subject },
            `What somebody who is gone left in Drive could not be removed now (${messageOf(error)}); it is tried again.`,
          ),
        );
    },
  };
}
