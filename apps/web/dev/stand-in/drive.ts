import { randomUUID } from 'node:crypto';
import { buffer, text } from 'node:stream/consumers';
import type { FormerPerson } from '../../src/admin/former-people.ts';
import type {
  DriveBucket,
  DriveEntry,
  DriveOperation,
  SharedLink,
  TrashEntry,
  WantedOperation,
} from '../../src/drive/types.ts';
import { type Call, json } from './api.ts';
import { answerFormerPeople, sampleFormerPeople } from './former-people.ts';
import { notFound, Problem } from './problem.ts';
import { answerQuotas, type Quotas } from './quotas.ts';

interface StoredObject {
  readonly content: Buffer;
  readonly contentType: string;
  readonly modifiedAt: string;
}

interface OpenUpload {
  readonly bucket: string;
  readonly key: string;
  readonly size: number;
  readonly modifiedAt: number;
  readonly startedAt: string;
  readonly parts: Map<number, Buffer>;
}

/** Drive from memory. Tests turn its knobs directly. */
export class StandInDrive {
  readonly objects = new Map<string, Map<string, StoredObject>>();
  readonly uploads = new Map<string, OpenUpload>();
  readonly operations = new Map<string, DriveOperation>();
  readonly trash = new Map<
    string,
    { bucket: string; entry: TrashEntry; objects: Map<string, StoredObject> }
  >();
  readonly shares = new Map<string, { bucket: string; link: SharedLink }>();
  formerPeople: FormerPerson[] = sampleFormerPeople();
  readonly quotas: Quotas = new Map();
  /** `<who left it> to <whom>` */
  handedOver: string[] = [];
  quota: number | null = 1_000_000;
  /** So many requests for bytes fail, as when a connection breaks. */
  failures = 0;
  /** Milliseconds before bytes are taken. */
  delay = 0;
  /** Of parts, so small that a test need not send much. */
  partBytes = 64 * 1024;
  /** A search finds nothing for now, and has more to look at. */
  searching = false;
  /** An operation stays RUNNING until it is cancelled. */
  slow = false;
  /** Numbers of parts that arrived, in their order. */
  arrived: number[] = [];

  constructor(workspaces: readonly string[]) {
    for (const bucket of ['_my', ...workspaces]) this.objects.set(bucket, new Map());
    this.put('_my', 'home/customers.csv', 'id,name,note\n1,Ada,"likes, commas"\n2,Grace,<b>bold</b>\n');
    this.put('_my', 'home/notes.md', '# Notes\n\n- first\n- [a link](javascript:alert(1))\n');
    this.put('_my', 'home/page.html', '<script>document.title = "stolen"</script>\n<p>Hello</p>\n');
    this.put('_my', 'home/models/churn.zip', 'x'.repeat(120_000));
    this.put('_my', 'readme.txt', 'What is in here\n');
    this.put(
      '_my',
      'picture.svg',
      '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80"><circle cx="40" cy="40" r="36" fill="#ffd33d"/></svg>',
    );
  }

  put(bucket: string, key: string, content: string | Buffer, contentType = 'application/octet-stream'): void {
    this.of(bucket).set(key, {
      content: Buffer.from(content),
      contentType,
      modifiedAt: new Date().toISOString(),
    });
  }

  of(bucket: string): Map<string, StoredObject> {
    const found = this.objects.get(bucket);
    if (found === undefined) throw notFound('This bucket');
    return found;
  }

  sharesOf(name: string): SharedLink[] {
    return [...this.shares.values()].filter(({ bucket }) => bucket === name).map(({ link }) => link);
  }

  keys(bucket: string): string[] {
    return [...this.of(bucket).keys()].sort();
  }
}

export async function answerDrive(call: Call): Promise<void> {
  const [, kind, name = '', what, id = '', last] = call.path;
  const { drive } = call.standIn;
  if (kind === undefined)
    return json(call.response, 200, {
      ...{ driveUrl: 'http://localhost:8082', stsUrl: 'http://localhost:8082/sts', trashDays: 30 },
    });
  if (kind === 'operations') return operations(call, name, what);
  if (kind === 'quotas') return answerQuotas(call, name, what ?? '');
  if (kind === 'former-people') return answerFormerPeople(call, name || undefined, what);
  if (name === '')
    return json(call.response, 200, {
      items: [...drive.objects.keys()].sort().map((each) => bucketOf(call, each)),
    });
  drive.of(name);
  const { method } = call.request;
  if (what === undefined) return json(call.response, 200, bucketOf(call, name));
  if (what === 'entries') return entries(call, name);
  if (what === 'trash')
    return json(call.response, 200, {
      items: [...drive.trash.values()].filter(({ bucket }) => bucket === name).map(({ entry }) => entry),
    });
  if (what === 'shares' && method === 'GET') return json(call.response, 200, { items: drive.sharesOf(name) });
  if (what === 'shares' && method === 'DELETE') {
    drive.shares.delete(id);
    return void call.response.writeHead(204).end();
  }
  if (what === 'address') return address(call, name);
  const body = method === 'POST' ? JSON.parse(await text(call.request)) : undefined;
  if (what === 'folders') {
    if (drive.keys(name).some((key) => key.startsWith(body.key)))
      throw new Problem(409, 'object_exists', `"${body.key}" is there already. Choose another name.`);
    drive.put(name, body.key, '');
    return json(call.response, 201, { key: body.key, name: body.key, kind: 'FOLDER' });
  }
  if (what === 'shares') {
    const now = Date.now();
    const expiresAt = new Date(now + body.expiresInSeconds * 1000).toISOString();
    const link = { id: randomUUID(), key: body.key, createdAt: new Date(now).toISOString(), expiresAt };
    drive.shares.set(link.id, { bucket: name, link });
    return json(call.response, 201, { url: `${bytesUrl(call, name, body.key)}?attachment=`, expiresAt });
  }
  if (what === 'uploads' && id === '')
    return method === 'POST' ? begin(call, name, body) : openUploads(call, name);
  const upload = drive.uploads.get(id);
  if (upload === undefined) throw new Problem(404, 'no_such_upload', 'There is no such upload.');
  if (method === 'DELETE') {
    drive.uploads.delete(id);
    return void call.response.writeHead(204).end();
  }
  if (last === 'addresses') {
    const url = (part: number) => `${bytesUrl(call, name, upload.key)}?uploadId=${id}&partNumber=${part}`;
    const items = body.partNumbers.map((partNumber: number) => ({
      partNumber,
      url: url(partNumber),
      expiresAt: '',
    }));
    return json(call.response, 200, { items });
  }
  const whole = Buffer.concat([...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part));
  if (whole.length !== upload.size) throw new Problem(409, 'upload_incomplete', 'Parts are missing.');
  drive.put(name, upload.key, whole);
  drive.uploads.delete(id);
  call.response.writeHead(204).end();
}

const bytesUrl = (call: Call, bucket: string, key: string): string =>
  `${call.standIn.url}/stand-in-drive/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;

function bucketOf(call: Call, name: string): DriveBucket {
  const { drive, workspaces } = call.standIn;
  const role = workspaces.find(({ workspace }) => workspace.name === `workspaces/${name}`)?.workspace.role;
  const objects = [...drive.of(name).values()];
  const sum = (all: readonly StoredObject[]) => all.reduce((bytes, { content }) => bytes + content.length, 0);
  const deleted = [...drive.trash.values()]
    .filter(({ bucket }) => bucket === name)
    .flatMap((each) => [...each.objects.values()]);
  return {
    ...{
      name,
      kind: name === '_my' ? 'OWN' : 'WORKSPACE',
      role: role ?? 'owner',
      canWrite: role !== 'ROLE_VIEWER',
    },
    usage: { bytes: sum(objects), objects: objects.length, quota: drive.quota },
    trash: { bytes: sum(deleted), objects: deleted.length, quota: drive.quota },
  };
}

async function entries(call: Call, bucket: string): Promise<void> {
  const { searchParams } = call.url;
  const prefix = searchParams.get('prefix') ?? '';
  const query = (searchParams.get('query') ?? '').toLowerCase();
  const size = Number(searchParams.get('pageSize') ?? 200);
  const from = Number(searchParams.get('pageToken') ?? 0);
  if (query !== '' && call.standIn.drive.searching) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return json(call.response, 200, { items: [], nextPageToken: String(from) });
  }
  const found = new Map<string, DriveEntry>();
  for (const key of call.standIn.drive.keys(bucket)) {
    if (!key.startsWith(prefix) || key === prefix) continue;
    const rest = key.slice(prefix.length);
    const slash = rest.indexOf('/');
    const object = call.standIn.drive.of(bucket).get(key);
    if (slash >= 0) {
      const folder = prefix + rest.slice(0, slash + 1);
      found.set(folder, { key: folder, name: rest.slice(0, slash), kind: 'FOLDER' });
    } else if (object !== undefined)
      found.set(key, {
        ...{ key, name: rest, kind: 'OBJECT', size: object.content.length },
        ...{ modifiedAt: object.modifiedAt, etag: String(object.content.length) },
      });
  }
  const all = [...found.values()].filter(({ name }) => name.toLowerCase().includes(query));
  json(call.response, 200, {
    items: all.slice(from, from + size),
    ...(from + size < all.length ? { nextPageToken: String(from + size) } : {}),
  });
}

function address(call: Call, bucket: string): void {
  const key = call.url.searchParams.get('key') ?? '';
  const object = call.standIn.drive.of(bucket).get(key);
  if (object === undefined) throw notFound('This object');
  const attachment = call.url.searchParams.get('disposition') === 'INLINE' ? '' : '?attachment=';
  json(call.response, 200, {
    ...{
      url: bytesUrl(call, bucket, key) + attachment,
      expiresAt: new Date(Date.now() + 900_000).toISOString(),
    },
    ...{
      size: object.content.length,
      contentType: object.contentType,
      modifiedAt: object.modifiedAt,
      etag: '',
    },
  });
}

interface Begin {
  readonly key: string;
  readonly size: number;
  readonly modifiedAt: number;
  readonly collision: string;
}

function begin(call: Call, bucket: string, file: Begin): void {
  const { drive } = call.standIn;
  const isTaken = drive.of(bucket).has(file.key);
  if (isTaken && file.collision === 'FAIL')
    throw new Problem(409, 'object_exists', `"${file.key}" is there already.`);
  const key = isTaken && file.collision === 'KEEP_BOTH' ? file.key.replace(/(\.\w+)?$/, ' (1)$1') : file.key;
  if (file.size <= drive.partBytes) {
    json(call.response, 200, {
      ...{
        key,
        address: { url: bytesUrl(call, bucket, key), expiresAt: '' },
        uploadId: null,
        partBytes: null,
        parts: [],
      },
    });
    return;
  }
  const same = [...drive.uploads].find(
    ([, open]) => open.key === key && open.size === file.size && open.modifiedAt === file.modifiedAt,
  );
  const uploadId = same?.[0] ?? randomUUID();
  const startedAt = new Date().toISOString();
  if (same === undefined)
    drive.uploads.set(uploadId, {
      bucket,
      key,
      size: file.size,
      modifiedAt: file.modifiedAt,
      startedAt,
      parts: new Map(),
    });
  const parts = [...(same?.[1].parts ?? [])].map(([partNumber, part]) => ({
    partNumber,
    size: part.length,
    etag: '',
  }));
  json(call.response, 200, { key, address: null, uploadId, partBytes: drive.partBytes, parts });
}

function openUploads(call: Call, name: string): void {
  const items = [...call.standIn.drive.uploads]
    .filter(([, { bucket }]) => bucket === name)
    .map(([uploadId, { key, startedAt }]) => ({ uploadId, key, startedAt }));
  json(call.response, 200, { items });
}

async function operations(call: Call, id: string, what: string | undefined): Promise<void> {
  const { drive } = call.standIn;
  if (id === '' && call.request.method === 'GET')
    return json(call.response, 200, { items: [...drive.operations.values()].reverse() });
  if (id !== '') {
    const found = drive.operations.get(id);
    if (found === undefined) throw notFound('This operation');
    if (what === 'cancel') drive.operations.set(id, { ...found, state: 'CANCELLED' });
    return json(call.response, 200, drive.operations.get(id));
  }
  const wanted = JSON.parse(await text(call.request)) as WantedOperation;
  const operation = drive.slow
    ? { ...begun(wanted), state: 'RUNNING' as const, total: 1000, done: 120 }
    : perform(call, wanted);
  drive.operations.set(operation.id, operation);
  json(call.response, 200, operation);
}

const begun = ({ kind, bucket }: WantedOperation): DriveOperation => ({
  ...{
    id: randomUUID(),
    kind,
    bucket,
    state: 'SUCCEEDED',
    done: 1,
    failed: 0,
    total: 1,
    failures: [],
    trashId: null,
  },
});

function perform(call: Call, wanted: WantedOperation): DriveOperation {
  const { drive } = call.standIn;
  const operation = begun(wanted);
  const source = drive.of(wanted.bucket);
  if (wanted.kind === 'RESTORE' || wanted.kind === 'PURGE') {
    for (const id of wanted.trash ?? [...drive.trash.keys()]) {
      if (wanted.kind === 'RESTORE')
        for (const [key, object] of drive.trash.get(id)?.objects ?? []) source.set(key, object);
      drive.trash.delete(id);
    }
    return operation;
  }
  const below = (root: string) =>
    drive.keys(wanted.bucket).filter((key) => key === root || (root.endsWith('/') && key.startsWith(root)));
  if (wanted.kind === 'DELETE') {
    const objects = new Map(wanted.keys.flatMap(below).map((key) => [key, source.get(key) as StoredObject]));
    for (const key of objects.keys()) source.delete(key);
    const now = Date.now();
    const entry: TrashEntry = {
      ...{ id: operation.id, name: wanted.keys[0] ?? '', items: wanted.keys.length, deletedBy: 'ada' },
      ...{ deletedAt: new Date(now).toISOString(), emptiedAt: new Date(now + 30 * 86_400_000).toISOString() },
    };
    drive.trash.set(operation.id, { bucket: wanted.bucket, entry, objects });
    return { ...operation, trashId: operation.id };
  }
  const target = drive.of(wanted.target.bucket);
  for (const root of wanted.keys)
    for (const key of below(root)) {
      const name = root.slice(root.replace(/\/$/, '').lastIndexOf('/') + 1);
      const to = (wanted.target.as ?? (wanted.target.into ?? '') + name) + key.slice(root.length);
      if (target.has(to) && wanted.collision === 'FAIL') {
        const message = `"${to}" is there already. Replace it, keep both, or choose another name.`;
        return {
          ...operation,
          state: 'FAILED',
          done: 0,
          failed: 1,
          failures: [{ key, code: 'object_exists', message }],
        };
      }
      target.set(to, source.get(key) as StoredObject);
      if (wanted.kind === 'MOVE') source.delete(key);
    }
  return operation;
}

/** Drive's own listener, as far as a browser sees it. */
export async function answerBytes({ standIn, request, response, url }: Omit<Call, 'path'>): Promise<void> {
  const { drive } = standIn;
  const [bucket = '', ...segments] = url.pathname
    .replace('/stand-in-drive/', '')
    .split('/')
    .map(decodeURIComponent);
  const key = segments.join('/');
  if (request.method === 'PUT') {
    const content = await buffer(request);
    if (drive.delay > 0) await new Promise((resolve) => setTimeout(resolve, drive.delay));
    if (drive.failures > 0) {
      drive.failures -= 1;
      return void request.socket.destroy();
    }
    if (drive.quota !== null && content.length > drive.quota)
      return void response
        .writeHead(403, { 'content-type': 'application/xml' })
        .end('<Error><Code>QuotaExceeded</Code><Message>These bytes do not fit.</Message></Error>');
    const part = Number(url.searchParams.get('partNumber') ?? 0);
    const upload = drive.uploads.get(url.searchParams.get('uploadId') ?? '');
    if (part === 0) drive.put(bucket, key, content, request.headers['content-type']);
    else {
      upload?.parts.set(part, content);
      drive.arrived.push(part);
    }
    return void response.writeHead(200, { etag: '"1"' }).end();
  }
  const object = drive.of(bucket).get(key);
  if (object === undefined) return void response.writeHead(404).end();
  const [, last] = /^bytes=0-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const content = last === undefined ? object.content : object.content.subarray(0, Number(last) + 1);
  response
    .writeHead(last === undefined ? 200 : 206, {
      'content-type': key.endsWith('.svg') ? 'image/svg+xml' : object.contentType,
      'content-security-policy': 'sandbox',
      ...(url.searchParams.has('attachment') ? { 'content-disposition': 'attachment' } : {}),
    })
    .end(content);
}
