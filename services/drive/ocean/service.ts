import { Readable } from 'node:stream';
import type { Principal } from '@haic/kit/auth/principal.ts';
import { invalid, notFound } from '@haic/kit/errors.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { BlobInfo } from '@haic/platform/blob/port.ts';
import type { Buckets } from '../buckets.ts';
import type { Bucket } from '../model.ts';
import { enforce, mayUse, type Wish } from '../policy.ts';
import type { ObjectService, UploadOf } from '../service.ts';
import { type Sessions, sessionOf } from '../sessions.ts';
import type { Share, ShareStore } from '../shares.ts';
import type { Usage, UsageStore } from '../usage/store.ts';
import { objectExists, translated } from './api-error.ts';
import { checkAddressable, checkKey, checkNewKey } from './keys.ts';
import { type FolderPage, listFolder } from './listing.ts';
import { type Collision, isFolder, type Operation, type TrashEntry } from './model.ts';
import { deletion, purge, restoration, transfer } from './operations.ts';
import { presign } from './presign.ts';
import type { Runner } from './runner.ts';
import { type SearchWish, searchFolder } from './search.ts';
import type { OceanStore } from './store.ts';
import { idForm, newId, trashOf } from './trash.ts';
import { type BegunUpload, beginUpload, completeUpload, type LocalFile } from './uploads.ts';

export interface OceanParts {
  readonly objects: ObjectService;
  readonly buckets: Buckets;
  readonly usage: Pick<UsageStore, 'usageOf' | 'entriesIn'>;
  readonly sessions: Sessions;
  readonly store: OceanStore;
  readonly shares: ShareStore;
  readonly runner: Runner;
  readonly driveUrl: string;
  /** 0: nothing is kept in the trash. */
  readonly trashDays: number;
  readonly logger: Logger;
}

export interface BucketView extends Bucket {
  readonly usage: Usage;
  readonly trash: Usage;
  readonly canWrite: boolean;
}

/** An address that is good for one thing, until then. */
export interface Address {
  readonly url: string;
  readonly expiresAt: Date;
}

export type Wanted =
  | {
      readonly kind: 'COPY' | 'MOVE';
      readonly bucket: string;
      readonly keys: readonly string[];
      readonly target: { readonly bucket: string; readonly into?: string; readonly as?: string };
      readonly collision: Collision;
    }
  | {
      readonly kind: 'DELETE';
      readonly bucket: string;
      readonly keys: readonly string[];
      readonly permanently: boolean;
    }
  | {
      readonly kind: 'RESTORE';
      readonly bucket: string;
      readonly trash: readonly string[];
      readonly collision: Collision;
    }
  /** Without ids all of it. */
  | { readonly kind: 'PURGE'; readonly bucket: string; readonly trash: readonly string[] | undefined };

/** So long an address is good that is used at once; parts may wait for those before them. */
const addressSeconds = 900;
const partSeconds = 6 * 3600;
/** So long an operation is waited for before it is answered that it runs. */
const patienceMs = 1500;

export type OceanService = ReturnType<typeof createOceanService>;

export function createOceanService(parts: OceanParts) {
  const { objects, buckets, usage, store, shares, runner, driveUrl } = parts;

  const open = async (who: Principal, name: string, wish: Wish): Promise<Bucket> => {
    const now = Math.floor(Date.now() / 1000);
    const bucket = await translated(buckets.find(sessionOf(who, now, now + 60), name));
    await translated(Promise.resolve().then(() => enforce(bucket, wish)));
    return bucket;
  };
  const view = async (bucket: Bucket): Promise<BucketView> => ({
    ...bucket,
    usage: await usage.usageOf(bucket.prefix),
    trash: await usage.usageOf(trashOf(bucket).prefix),
    canWrite: mayUse(bucket, 'write'),
  });
  const head = (bucket: Bucket, key: string, signal: AbortSignal): Promise<BlobInfo> => {
    checkAddressable(key);
    return translated(objects.head(bucket, key, { signal }));
  };
  const addressOf = (
    who: Principal,
    bucket: Bucket,
    key: string,
    wanted: {
      readonly method: 'GET' | 'PUT';
      readonly seconds: number;
      readonly query?: Readonly<Record<string, string>>;
      readonly share?: string;
    },
  ): Address => {
    checkAddressable(key);
    const { method, seconds, query, share } = wanted;
    // Of a link it is told that there is one, and not yet who follows it.
    const credentials = parts.sessions.issue(who, seconds + 60, { share, isTold: share === undefined });
    const url = presign(credentials, {
      ...{ method, driveUrl, bucket: bucket.name, key, expiresIn: seconds },
      ...(query === undefined ? {} : { query }),
    });
    return { url, expiresAt: new Date(Date.now() + seconds * 1000) };
  };

  return {
    about: () => ({ driveUrl, stsUrl: `${driveUrl}/sts`, trashDays: parts.trashDays }),

    listBuckets: async (who: Principal, after: string | undefined, limit: number) => {
      const now = Math.floor(Date.now() / 1000);
      const all = await translated(buckets.list(sessionOf(who, now, now + 60)));
      const page = all.filter(({ name }) => after === undefined || name > after).slice(0, limit);
      return Promise.all(page.map(view));
    },
    /** For the trail. */
    workspaceOf,
    workspaceOfOperation: async (who: Principal, id: string) =>
      workspaceOf(who, (idForm.test(id) ? await store.find(who.subject, id) : undefined)?.bucket),
    getBucket: async (who: Principal, name: string) => view(await open(who, name, 'read')),

    list: async (who: Principal, name: string, wanted: SearchWish): Promise<FolderPage> => {
      const bucket = await open(who, name, 'read');
      checkKey(wanted.prefix);
      if (wanted.prefix !== '' && !isFolder(wanted.prefix))
        throw invalid('invalid_key', 'The key of a folder ends in a slash.');
      return translated(
        wanted.query === ''
          ? listFolder(objects, bucket, wanted)
          : searchFolder({ objects, usage }, bucket, wanted),
      );
    },

    /** A folder that nothing is in is an empty object of its name. */
    makeFolder: async (who: Principal, name: string, key: string, signal: AbortSignal): Promise<void> => {
      const bucket = await open(who, name, 'write');
      checkNewKey(key);
      if (!isFolder(key)) throw invalid('invalid_key', 'The key of a folder ends in a slash.');
      const found = await translated(objects.list(bucket, { prefix: key, limit: 1, signal }));
      if (found.objects.length > 0) throw objectExists(key);
      const nothing = { size: 0, md5: undefined, open: () => Readable.from([]) };
      await translated(objects.put(bucket, key, nothing, { signal, contentType: 'application/x-directory' }));
    },

    beginUpload: async (
      who: Principal,
      name: string,
      file: LocalFile,
      collision: Collision,
      signal: AbortSignal,
    ): Promise<BegunUpload & { readonly address: Address | undefined }> => {
      const bucket = await open(who, name, 'write');
      checkNewKey(file.key);
      if (isFolder(file.key)) throw invalid('invalid_key', 'The key of a file ends in no slash.');
      const begun = await translated(beginUpload(objects, bucket, file, { collision, signal }));
      const address =
        begun.kind === 'WHOLE'
          ? addressOf(who, bucket, begun.key, { method: 'PUT', seconds: partSeconds })
          : undefined;
      return { ...begun, address };
    },
    addressParts: async (
      who: Principal,
      upload: Named<UploadOf>,
      partNumbers: readonly number[],
      signal: AbortSignal,
    ): Promise<readonly (Address & { readonly partNumber: number })[]> => {
      const of = await uploadOf(who, upload);
      // So that nobody sends gigabytes to what is not there.
      await translated(objects.listParts(of, { limit: 1, signal }));
      return partNumbers.map((partNumber) => ({
        partNumber,
        ...addressOf(who, of.bucket, of.key, {
          method: 'PUT',
          seconds: partSeconds,
          query: { partNumber: String(partNumber), uploadId: of.uploadId },
        }),
      }));
    },
    listParts: async (
      who: Principal,
      upload: Named<UploadOf>,
      after: number | undefined,
      limit: number,
      signal: AbortSignal,
    ) => {
      const of = await uploadOf(who, upload);
      return translated(objects.listParts(of, { limit, signal, ...(after === undefined ? {} : { after }) }));
    },
    completeUpload: async (
      who: Principal,
      upload: Named<UploadOf>,
      collision: Collision,
      signal: AbortSignal,
    ): Promise<void> =>
      translated(completeUpload(objects, await uploadOf(who, upload), { collision, signal })),
    abortUpload: async (who: Principal, upload: Named<UploadOf>, signal: AbortSignal): Promise<void> =>
      translated(objects.abortUpload(await uploadOf(who, upload), { signal })),
    listUploads: async (
      who: Principal,
      name: string,
      wanted: {
        readonly after: { readonly key: string; readonly uploadId: string } | undefined;
        readonly limit: number;
        readonly signal: AbortSignal;
      },
    ) => {
      const bucket = await open(who, name, 'write');
      const { after, ...options } = wanted;
      return translated(
        objects.listUploads(bucket, { ...options, prefix: '', ...(after === undefined ? {} : { after }) }),
      );
    },

    /** To be looked at, or kept, by who asks. */
    addressObject: async (
      who: Principal,
      name: string,
      key: string,
      disposition: 'ATTACHMENT' | 'INLINE',
      signal: AbortSignal,
    ): Promise<Address & { readonly info: BlobInfo }> => {
      const bucket = await open(who, name, 'read');
      const info = await head(bucket, key, signal);
      const query = disposition === 'ATTACHMENT' ? { query: asAttachment(key) } : {};
      return { info, ...addressOf(who, bucket, key, { method: 'GET', seconds: addressSeconds, ...query }) };
    },
    /** For anybody who has it: also when who shares is signed out, and until they lose their own access or take it back. */
    share: async (
      who: Principal,
      name: string,
      key: string,
      seconds: number,
      signal: AbortSignal,
    ): Promise<Address> => {
      const bucket = await open(who, name, 'read');
      await head(bucket, key, signal);
      const id = newId();
      const address = addressOf(who, bucket, key, {
        ...{ method: 'GET', seconds, query: asAttachment(key), share: id },
      });
      const { expiresAt } = address;
      await shares.keep({ id, subject: who.subject, bucket: bucket.prefix, key, expiresAt });
      return address;
    },
    listShares: async (
      who: Principal,
      name: string,
      after: { readonly createdAt: Date; readonly id: string } | undefined,
      limit: number,
    ): Promise<readonly Share[]> => {
      const bucket = await open(who, name, 'read');
      return shares.page({ subject: who.subject, bucket: bucket.prefix }, after, limit);
    },
    endShare: async (who: Principal, name: string, id: string): Promise<void> => {
      const bucket = await open(who, name, 'read');
      if (!idForm.test(id) || !(await shares.end({ id, subject: who.subject, bucket: bucket.prefix })))
        throw notFound('This link');
    },

    operate: async (who: Principal, wanted: Wanted, id: string): Promise<Operation> => {
      const work = await workOf(who, wanted, id);
      return runner.run(id, work, patienceMs);
    },
    listOperations: (who: Principal) => store.recent(who.subject, 50),
    getOperation: (who: Principal, id: string) => findOperation(who, id),
    cancelOperation: async (who: Principal, id: string): Promise<Operation> => {
      const operation = await findOperation(who, id);
      if (operation.state !== 'RUNNING') return operation;
      await store.requestCancel(who.subject, id);
      runner.cancel(id);
      return findOperation(who, id);
    },

    listTrash: async (
      who: Principal,
      name: string,
      after: { readonly deletedAt: Date; readonly id: string } | undefined,
      limit: number,
    ): Promise<readonly TrashEntry[]> => {
      const bucket = await open(who, name, 'read');
      return store.listTrash(bucket.prefix, after, limit);
    },

    /** Empties the trash of what has been in it for too long. */
    sweep: async (): Promise<void> => {
      await store.forgetOldOperations();
      await shares.forgetEnded();
      for (;;) {
        const old = await store.trashOlderThan(parts.trashDays, 100);
        for (const { id, bucket } of old) await sweepTrash(id, bucket);
        if (old.length < 100) return;
      }
    },
  };

  /** `workspaces/<id>`, of the first bucket that is one's and that one may know of; undefined for one's own, and for all others. */
  async function workspaceOf(
    who: Principal,
    ...names: readonly (string | undefined)[]
  ): Promise<string | undefined> {
    for (const name of names) {
      const bucket = await open(who, name ?? '', 'read').catch(() => undefined);
      if (bucket?.kind === 'workspace') return `workspaces/${bucket.id}`;
    }
    return undefined;
  }

  async function uploadOf(who: Principal, { bucket, key, uploadId }: Named<UploadOf>): Promise<UploadOf> {
    checkAddressable(key);
    return { bucket: await open(who, bucket, 'write'), key, uploadId };
  }

  async function findOperation(who: Principal, id: string): Promise<Operation> {
    const operation = idForm.test(id) ? await store.find(who.subject, id) : undefined;
    if (operation === undefined) throw notFound('This operation');
    return operation;
  }

  async function workOf(who: Principal, wanted: Wanted, id: string) {
    const of = { objects, subject: who.subject };
    const forget = (trashId: string) => store.forgetTrash(trashId);
    const bucket = await open(who, wanted.bucket, wanted.kind === 'COPY' ? 'read' : 'write');
    if ('keys' in wanted) wanted.keys.forEach(checkKey);
    switch (wanted.kind) {
      case 'COPY':
      case 'MOVE': {
        const { kind, keys, collision, target } = wanted;
        return transfer(of, { kind, bucket, keys, collision, to: await destinationOf(who, target) });
      }
      case 'DELETE': {
        const { keys, permanently } = wanted;
        const trashId = permanently || parts.trashDays === 0 ? undefined : id;
        const [name = ''] = keys;
        const entry = { id, bucket: bucket.prefix, name, items: keys.length, deletedBy: who.subject };
        return deletion(of, { bucket, keys, trashId, keep: () => store.keepTrash(entry) });
      }
      case 'RESTORE': {
        await checkTrash(bucket, wanted.trash);
        return restoration(of, { bucket, ids: wanted.trash, collision: wanted.collision, forget });
      }
      case 'PURGE': {
        if (wanted.trash !== undefined) await checkTrash(bucket, wanted.trash);
        const ids = wanted.trash ?? (await allTrash(bucket));
        return purge(of, { bucket, ids, forget });
      }
    }
  }

  async function destinationOf(
    who: Principal,
    target: { readonly bucket: string; readonly into?: string; readonly as?: string },
  ) {
    const { into, as } = target;
    if ((into === undefined) === (as === undefined))
      throw invalid('invalid_target', 'Say either `into` which folder, or `as` which key.');
    const bucket = await open(who, target.bucket, 'write');
    if (into !== undefined) {
      if (into !== '') checkNewKey(into);
      if (into !== '' && !isFolder(into))
        throw invalid('invalid_target', 'The key of a folder ends in a slash.');
      return { bucket, into };
    }
    checkNewKey(as ?? '');
    return { bucket, as: as ?? '' };
  }

  async function checkTrash(bucket: Bucket, ids: readonly string[]): Promise<void> {
    for (const id of ids)
      if (!idForm.test(id) || (await store.findTrash(bucket.prefix, id)) === undefined)
        throw notFound('What you look for in the trash');
  }

  async function allTrash(bucket: Bucket): Promise<readonly string[]> {
    return (await store.listTrash(bucket.prefix, undefined, 10_000)).map(({ id }) => id);
  }

  async function sweepTrash(id: string, prefix: string): Promise<void> {
    const bucket: Bucket = { name: 'swept', prefix, kind: 'own', id: '', role: 'owner' };
    const work = purge({ objects, subject: '' }, { bucket, ids: [id], forget: store.forgetTrash });
    const signal = AbortSignal.timeout(10 * 60_000);
    for await (const item of work.items(signal)) await work.handle(item, signal);
    await work.finish?.();
  }
}

/** What is told by its bucket's name. */
export type Named<T> = Omit<T, 'bucket'> & { readonly bucket: string };

/** A name that every browser understands, and for those that understand no other, one in ASCII (RFC 6266). */
function asAttachment(key: string): Record<string, string> {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_').slice(0, 200);
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const full = `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
  return {
    'response-content-disposition': full.length <= 1000 ? full : `attachment; filename="${plain}"`,
  };
}
