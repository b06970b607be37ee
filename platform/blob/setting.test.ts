import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseBlobStore } from './setting.ts';

describe('where blobs are kept', () => {
  it('is a folder', () => {
    assert.deepEqual(parseBlobStore('/var/lib/blobs'), { kind: 'filesystem', directory: '/var/lib/blobs' });
  });

  it('is a bucket of S3, with a prefix, a region and an endpoint of one’s own', () => {
    assert.deepEqual(parseBlobStore('s3://files'), {
      kind: 's3',
      bucket: 'files',
      prefix: '',
      region: undefined,
      endpoint: undefined,
      pathStyle: undefined,
    });
    assert.deepEqual(
      parseBlobStore(
        's3://files/haic/one/?region=eu-central-1&endpoint=https://s3.example:9000&path-style=false',
      ),
      {
        kind: 's3',
        bucket: 'files',
        prefix: 'haic/one/',
        region: 'eu-central-1',
        endpoint: 'https://s3.example:9000',
        pathStyle: false,
      },
    );
  });

  it('is a container of Azure, with a prefix and an endpoint of one’s own', () => {
    assert.deepEqual(parseBlobStore('azure://account/container/haic'), {
      kind: 'azure',
      account: 'account',
      container: 'container',
      prefix: 'haic/',
      endpoint: undefined,
    });
    assert.throws(() => parseBlobStore('azure://account'), /container/);
    assert.throws(() => parseBlobStore('azure://account/container?region=x'), /knows no "region"/);
  });

  it('is a bucket of Google Cloud Storage, with a prefix and an endpoint of one’s own', () => {
    assert.deepEqual(parseBlobStore('gs://files_of.acme/haic'), {
      kind: 'gcs',
      bucket: 'files_of.acme',
      prefix: 'haic/',
      endpoint: undefined,
    });
    const own = parseBlobStore('gs://files?endpoint=https://storage-acme.p.googleapis.com');
    assert.equal(own.kind === 'gcs' && own.endpoint, 'https://storage-acme.p.googleapis.com');
    assert.throws(() => parseBlobStore('gs://a'), /no bucket/);
    assert.throws(() => parseBlobStore('gs://files?region=x'), /knows no "region"/);
  });

  it('says everything that is wrong at once', () => {
    assert.throws(
      () => parseBlobStore('s3://me:secret@B!/a b?regoin=x&endpoint=s3.example&path-style=1'),
      (error: Error) =>
        ['no bucket', 'no credentials', 'regoin', 'no address', 'path-style', 'prefix'].every((word) =>
          error.message.includes(word),
        ) && !error.message.includes('secret@'),
    );
    for (const text of ['', 'blobs', './blobs', 'ftp://x/y', 's3:', 's3://'])
      assert.throws(() => parseBlobStore(text));
  });
});
