import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { callApi } from '../support/api.ts';
import { driveKeys, driveStatus, driveUrlOf, type TemporaryKeys } from '../support/drive.ts';
import { startDriveElsewhere } from '../support/drive-elsewhere.ts';
import { startH2o3 } from '../support/h2o3.ts';
import { execute, type Haic, startHaic } from '../support/haic.ts';
import { stores } from '../support/object-stores.ts';
import { pythonWith } from '../support/python.ts';

const here = import.meta.dirname;
const current = ['h2o-drive==5.1.0', 'h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0'];
const older = ['h2o-drive==3.0.0', 'h2o-cloud-discovery==3.3.0', 'h2o-authn==3.1.0'];
const tools = ['awscli==1.46.3', 'boto3==1.44.8'];

describe('Drive, by clients that were not made for Haic', () => {
  let haic: Haic;
  let folder: string;
  let ada: { token: string; access: string };
  let bob: { access: string };
  let workspace: string;
  let keys: TemporaryKeys;

  before(async () => {
    haic = await startHaic();
    folder = await mkdtemp(path.join(tmpdir(), 'haic-test-drive-clients-'));
    await haic.addUser('ada');
    await haic.addUser('bob');
    const token = (await haic.run(['token', '--user', 'ada'])).trim();
    ada = { token, access: await haic.accessToken('ada') };
    bob = { access: await haic.accessToken('bob') };
    workspace = await sharedWorkspace();
    keys = await driveKeys(haic, ada.access);
  });
  after(async () => {
    await haic?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** Ada's, where Bob is a viewer. */
  async function sharedWorkspace(): Promise<string> {
    const made = await callApi<{ workspace: { name: string } }>(
      haic,
      ada.access,
      'POST',
      '/authz/v1/workspaces',
      { display_name: 'Team' },
    );
    const { name } = made.body.workspace;
    const { sub } = JSON.parse(Buffer.from(bob.access.split('.')[1] ?? '', 'base64url').toString()) as {
      sub: string;
    };
    const member = { member: `users/${sub}`, role: 'ROLE_VIEWER' };
    const added = await callApi(haic, ada.access, 'POST', `/authz/v1/${name}/members`, member);
    assert.equal(added.status, 200, JSON.stringify(added.body));
    return name.replace('workspaces/', '');
  }

  const common = (url = haic.url) => ({
    PATH: '/usr/bin:/bin',
    HOME: folder,
    H2O_CLOUD_ENVIRONMENT: url,
    H2O_CLOUD_CLIENT_PLATFORM_TOKEN: ada.token,
  });
  const awsKeys = () => ({
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
  });

  const sdkClient = (credentials: TemporaryKeys) =>
    new S3Client({
      endpoint: driveUrlOf(haic),
      region: 'sa-east-1',
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
    });

  /** Every method of it, in the own and in workspaces. */
  async function h2oDriveDoesAll(environmentUrl?: string): Promise<void> {
    const said = await execute(await pythonWith(current), [path.join(here, 'drive.py')], {
      ...common(environmentUrl),
      WORKSPACE: workspace,
      PEER_TOKEN: bob.access,
      AWS_ACCESS_KEY_ID: 'wrong',
      AWS_ENDPOINT_URL_S3: 'http://localhost:1',
      AWS_DEFAULT_REGION: 'ap-southeast-2',
    });
    const bucket = {
      before: 0,
      same: 11,
      listed: true,
      sizes: [0, 11, 22_020_096],
      prefix: ['dots/../x/./y'],
      sub: [true, ['one'], true],
      presigned: 'hello drive',
      'sub presigned': 'hello drive',
      're-scoped': 403,
      missing: ['404', 404],
      after: 0,
    };
    assert.deepEqual(JSON.parse(said), {
      own: bucket,
      default: { ...bucket, same: 4 },
      workspace: { ...bucket, same: 4 },
      elsewhere: ['NoSuchBucket', 404],
      home: ['home/mine'],
      peer: [],
      'peer reads': 0,
      'peer writes': ['AccessDenied', 403],
      'bad token': ['InvalidIdentityToken', 400],
    });
  }

  async function boto3DoesAll(checksums: string, endpoint = driveUrlOf(haic)): Promise<void> {
    const said = await execute(await pythonWith(tools), [path.join(here, 'drive_boto3.py')], {
      ...common(),
      ...awsKeys(),
      ENDPOINT: endpoint,
      WORKSPACE: workspace,
      CHECKSUMS: checksums,
    });
    assert.deepEqual(JSON.parse(said), {
      buckets: ['00000000-0000-4000-8000-000000000001'],
      location: null,
      'no bucket': '404 404',
      etag: true,
      got: ['0123456789', 'text/plain', { colour: 'blue' }, 'no-store', 10],
      ranges: ['234', '789', '89', '56789'],
      'bad range': 'InvalidRange 416',
      conditions: ['PreconditionFailed 412', '304 304', 'PreconditionFailed 412', 'PreconditionFailed 412'],
      copied: { colour: 'red' },
      large: true,
      'large copy': true,
      uploads: [`boto-${checksums}/left`],
      parts: [[3, 4]],
      'bad parts': ['InvalidPart 400', 'InvalidPartOrder 400'],
      aborted: 'NoSuchUpload 404',
      pages: [5, 5, 2],
      order: true,
      folders: [5, 5, 2],
      'start after': 2,
      'presigned get': ['0123456789', 'text/csv'],
      'presigned put': 'by link',
      'not there': [
        'NotImplemented 501',
        'NotImplemented 501',
        'NotImplemented 501',
        'BucketAlreadyExists 409',
        'NoSuchBucket 404',
      ],
      deleted: true,
      left: 0,
    });
  }

  it('has everybody who got temporary keys in the audit trail, with the id that they sign by', async () => {
    const given = async () =>
      (await haic.run(['audit', 'export', '--action', '^actions/drive/keys/CREATE$']))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { resource: string; loginPrincipal: string });
    // It is recorded before the keys are given, and brought to the trail after.
    for (const deadline = Date.now() + 30_000; ; await delay(200)) {
      const found = (await given()).find(({ resource }) => resource === `//drive/keys/${keys.accessKeyId}`);
      if (found === undefined) assert.ok(Date.now() < deadline, 'the trail has not heard of the keys');
      else return assert.equal(found.loginPrincipal, 'ada');
    }
  });

  it('h2o-drive 5.1 does all it can, whatever AWS settings are around', () => h2oDriveDoesAll());

  it('h2o-drive 3.0 finds its one service, its bucket and its own files', async () => {
    const said = await execute(await pythonWith(older), [path.join(here, 'drive_older.py')], {
      ...common(),
      H2O_CLOUD_APP_NAME: 'an-app',
    });
    assert.deepEqual(JSON.parse(said), {
      same: [true, true],
      listed: [
        ['older/a b+ü.txt', 5],
        ['older/large', 9_437_185],
      ],
      presigned: 'older',
      home: ['mine'],
      app: ['an-app/workspace/of the app'],
      left: 0,
      missing: '404',
    });
  });

  for (const checksums of ['when_supported', 'when_required'])
    it(`boto3 does what general tools do, with checksums ${checksums}`, () => boto3DoesAll(checksums));

  it('has what S3 tools deleted in the audit trail, and nothing of what they read and wrote', async () => {
    const told = async () =>
      (await haic.run(['audit', 'export', '--action', '^actions/drive/objects/']))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { action: string; loginPrincipal: string; metadata: object });
    for (const deadline = Date.now() + 30_000; ; await delay(200)) {
      const events = await told();
      const one = events.find(
        ({ metadata }) => 'access_key' in metadata && metadata.access_key === keys.accessKeyId,
      );
      if (one === undefined) assert.ok(Date.now() < deadline, 'the trail has not heard of the deletion');
      else {
        assert.equal(one.loginPrincipal, 'ada');
        assert.deepEqual([...new Set(events.map(({ action }) => action))], ['actions/drive/objects/DELETE']);
        return;
      }
    }
  });

  for (const { name, start } of stores)
    it(`h2o-drive 5.1 and boto3 do all that with their objects on ${name}`, async () => {
      const store = await start();
      const drive = await startDriveElsewhere(haic, store.environment);
      console.log(`# served by ${store.name}, behind ${drive.name}`);
      try {
        await h2oDriveDoesAll(drive.environmentUrl);
        await boto3DoesAll('when_supported', drive.url);
      } finally {
        await drive.stop();
        await store.stop();
      }
    });

  it('the AWS CLI works with the profile that h2o-drive prints', async () => {
    const python = await pythonWith(current);
    const profile = await execute(python, ['-m', 'h2o_drive', 'aws', 'profile', '--name', 'haic'], common());
    await mkdir(path.join(folder, '.aws'), { recursive: true });
    // The profile calls `python`, whichever is first on the path.
    const calling = profile.replace('= python ', `= ${python} `);
    // Or else the CLI of this generation signs addresses in the way of 2006.
    const modern = calling.replace(/^\[profile .*$/m, '$&\ns3 =\n    signature_version = s3v4');
    await writeFile(path.join(folder, '.aws/config'), `${modern}\n`);
    const cli = async (args: readonly string[], env: NodeJS.ProcessEnv = awsKeys()) => {
      const how = ['-m', 'awscli', '--profile', 'haic-drive', '--region', 'us-east-1'];
      return execute(await pythonWith(tools), [...how, ...args], { ...common(), ...env });
    };
    const data = path.join(folder, 'data');
    await mkdir(path.join(data, 'deep'), { recursive: true });
    const large = randomBytes(9 * 1024 * 1024);
    await writeFile(path.join(data, 'large.bin'), large);
    await writeFile(path.join(data, 'deep', 'a b+ü.txt'), 'small');
    // With the keys that the profile fetches; the others save the time for that.
    await cli(['s3', 'sync', data, 's3://_my/cli/', '--only-show-errors'], {});
    const listed = await cli(['s3', 'ls', 's3://_my/cli/', '--recursive']);
    assert.match(listed, / 9437184 cli\/large\.bin/);
    assert.match(listed, / 5 cli\/deep\/a b\+ü\.txt/);
    const again = await cli(['s3', 'sync', data, 's3://_my/cli/']);
    assert.equal(again.trim(), '', 'nothing has changed, so nothing is sent again');
    await cli(['s3', 'mv', 's3://_my/cli/large.bin', `s3://${workspace}/cli.bin`, '--only-show-errors']);
    const back = path.join(folder, 'back.bin');
    await cli(['s3', 'cp', `s3://${workspace}/cli.bin`, back, '--only-show-errors']);
    assert.ok((await readFile(back)).equals(large));
    const url = (await cli(['s3', 'presign', 's3://_my/cli/deep/a b+ü.txt', '--expires-in', '60'])).trim();
    assert.equal(await (await fetch(url)).text(), 'small');
    await cli(['s3', 'rm', 's3://_my/cli/', '--recursive', '--only-show-errors']);
    assert.equal((await cli(['s3', 'ls', 's3://_my/', '--recursive'])).includes('cli/'), false);
  });

  it("Amazon's SDK for JavaScript works, bodies of unknown digest included", async () => {
    const s3 = sdkClient(keys);
    const Bucket = '_my';
    const content = randomBytes(700_000);
    for (const [Key, more] of [
      ['js/plain', {}],
      ['js/crc32c', { ChecksumAlgorithm: 'CRC32C' }],
      ['js/sha256', { ChecksumAlgorithm: 'SHA256' }],
    ] as const) {
      // A stream is sent as aws-chunked, with its checksum behind it.
      const Body = Readable.from([content.subarray(0, 300_000), content.subarray(300_000)]);
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: content.length, ...more }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
      assert.equal(got.ContentEncoding, undefined);
      assert.ok(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(content), Key);
    }
    const copied = { Bucket, Key: 'js/copy ü+', CopySource: encodeURI('_my/js/plain') };
    await s3.send(new CopyObjectCommand(copied));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'js/copy ü+' }));
    assert.equal(head.ContentLength, content.length);
    const upload = { Bucket, Key: 'js/parts' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
    const part = { ...upload, UploadId, PartNumber: 1, Body: content };
    assert.match((await s3.send(new UploadPartCommand(part))).ETag ?? '', /^"[0-9a-f]{32}"$/);
    await s3.send(new AbortMultipartUploadCommand({ ...upload, UploadId }));
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'js/' }));
    assert.deepEqual(
      Contents.map(({ Key }) => Key),
      ['js/copy ü+', 'js/crc32c', 'js/plain', 'js/sha256'],
    );
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    assert.ok(Buckets.some(({ Name }) => Name === workspace));
    const Objects = Contents.map(({ Key }) => ({ Key }));
    const deleted = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.equal(deleted.Deleted?.length, 4);
    await assert.rejects(
      s3.send(new GetObjectCommand({ Bucket, Key: 'js/plain' })),
      (error) => error instanceof S3ServiceException && error.name === 'NoSuchKey',
    );
    s3.destroy();
  });

  it('H2O-3 reads a data set from Drive and writes it back, in bodies of signed chunks', async (t) => {
    const h2o = await startH2o3({
      'sys.ai.h2o.persist.s3.endPoint': driveUrlOf(haic),
      'sys.ai.h2o.persist.s3.enable.path.style': 'true',
    });
    t.after(() => h2o.stop());
    const count = 40_000;
    const lines = Array.from({ length: count }, (_, i) => `house ${i},${i % 1000}`);
    const content = `name,price\n${lines.join('\n')}\n`;
    assert.equal(await driveStatus(haic, keys, 'PUT', '/_my/home/houses.csv', content), 200);
    const said = await execute(h2o.python, [path.join(here, 'drive_h2o3.py')], {
      ...{ PATH: '/usr/bin:/bin', HOME: folder, H2O_URL: h2o.url, WORKSPACE: workspace },
      ...awsKeys(),
    });
    const whole = [count, ['name', 'price'], 19_980_000];
    assert.deepEqual(JSON.parse(said.trim().split('\n').at(-1) ?? ''), {
      ...{ 'without keys': true, imported: whole, again: true, back: whole, missing: true },
    });
    const shared = await driveKeys(haic, bob.access);
    const s3 = sdkClient(shared);
    const got = await s3.send(new GetObjectCommand({ Bucket: workspace, Key: 'houses.csv' }));
    const text = (await got.Body?.transformToString()) ?? '';
    assert.equal(text.replaceAll('"', ''), content, 'what it exported is what another member reads');
    s3.destroy();
  });

  it('are told by discovery where Drive is', async () => {
    const answer = await fetch(`${haic.url}/.ai.h2o.cloud.discovery/v1/services`);
    const { services } = (await answer.json()) as { services: { name: string; uri: string }[] };
    const at = Object.fromEntries(services.map(({ name, uri }) => [name, uri]));
    const url = driveUrlOf(haic);
    assert.equal(at['services/drive-sts'], `${url}/sts`);
    for (const id of ['drive', 'userdrive', 'workspacedrive']) assert.equal(at[`services/${id}`], url);
  });
});
