import { notImplemented } from './errors.ts';
import type { BucketOperation } from './operation.ts';
import type { DriveRequest } from './request.ts';
import { abortMultipartUpload } from './routes/abort-multipart-upload.ts';
import { completeMultipartUpload } from './routes/complete-multipart-upload.ts';
import { copyObject } from './routes/copy-object.ts';
import { createBucket } from './routes/create-bucket.ts';
import { createMultipartUpload } from './routes/create-multipart-upload.ts';
import { deleteObject } from './routes/delete-object.ts';
import { deleteObjects } from './routes/delete-objects.ts';
import { getBucketLocation } from './routes/get-bucket-location.ts';
import { getObject } from './routes/get-object.ts';
import { headBucket } from './routes/head-bucket.ts';
import { headObject } from './routes/head-object.ts';
import { listMultipartUploads } from './routes/list-multipart-uploads.ts';
import { listObjects } from './routes/list-objects.ts';
import { listObjectsV2 } from './routes/list-objects-v2.ts';
import { listParts } from './routes/list-parts.ts';
import { putObject } from './routes/put-object.ts';
import { uploadPart } from './routes/upload-part.ts';
import { uploadPartCopy } from './routes/upload-part-copy.ts';

type Asked = Pick<DriveRequest, 'method' | 'key' | 'query' | 'header'>;

/** Which make another operation of the same method and path; of S3's whole list, and most of them are not Drive's. */
const subresources = [
  ...['accelerate', 'acl', 'analytics', 'attributes', 'cors', 'delete', 'encryption', 'intelligent-tiering'],
  ...['inventory', 'legal-hold', 'lifecycle', 'list-type', 'location', 'logging', 'metadataTable', 'metrics'],
  ...['notification', 'object-lock', 'ownershipControls', 'partNumber', 'policy', 'policyStatus'],
  ...['publicAccessBlock', 'replication', 'renameObject', 'requestPayment', 'restore', 'retention', 'select'],
  ...[
    'session',
    'tagging',
    'torrent',
    'uploadId',
    'uploads',
    'versionId',
    'versioning',
    'versions',
    'website',
  ],
];

/** By method and what follows it: the sub-resources that the address names, sorted. Everything else is `NotImplemented`. */
const ofBucket: Readonly<Record<string, BucketOperation>> = {
  GET: listObjects,
  'GET list-type': listObjectsV2,
  'GET location': getBucketLocation,
  'GET uploads': listMultipartUploads,
  HEAD: headBucket,
  PUT: createBucket,
  'POST delete': deleteObjects,
};

const ofObject: Readonly<Record<string, BucketOperation>> = {
  GET: getObject,
  'GET uploadId': listParts,
  HEAD: headObject,
  PUT: putObject,
  'PUT copy': copyObject,
  'PUT partNumber,uploadId': uploadPart,
  'PUT partNumber,uploadId copy': uploadPartCopy,
  'POST uploads': createMultipartUpload,
  'POST uploadId': completeMultipartUpload,
  DELETE: deleteObject,
  'DELETE uploadId': abortMultipartUpload,
};

/** Every operation on a bucket or in one. */
export const operations: readonly BucketOperation[] = [
  ...new Set([...Object.values(ofBucket), ...Object.values(ofObject)]),
];

export function operationOf(request: Asked): BucketOperation {
  const named = subresources.filter((name) => request.query(name) !== undefined).sort();
  const copies =
    request.key !== '' && request.method === 'PUT' && request.header('x-amz-copy-source') !== undefined;
  const wanted = [request.method, named.join(','), copies ? 'copy' : '']
    .filter((text) => text !== '')
    .join(' ');
  const table = request.key === '' ? ofBucket : ofObject;
  const found = Object.hasOwn(table, wanted) ? table[wanted] : undefined;
  if (found === undefined || (request.query('list-type') ?? '2') !== '2')
    throw notImplemented(
      `${request.method} of ${request.key === '' ? 'a bucket' : 'an object'}${named.length === 0 ? '' : ` with ${named.join(' and ')}`}`,
    );
  refuseUnknownWishes(request);
  return found;
}

/** What would change how an object is kept or who may see it: passing over such a wish would be a broken promise. */
function refuseUnknownWishes({ header }: Asked): void {
  for (const name of [
    'x-amz-server-side-encryption',
    'x-amz-server-side-encryption-customer-algorithm',
    'x-amz-object-lock-mode',
    'x-amz-object-lock-legal-hold',
    'x-amz-website-redirect-location',
    'x-amz-tagging',
    'x-amz-grant-read',
    'x-amz-grant-full-control',
  ])
    if (header(name) !== undefined) throw notImplemented(name);
  const acl = header('x-amz-acl');
  if (acl !== undefined && !['private', 'bucket-owner-full-control'].includes(acl))
    throw notImplemented(`the access list "${acl}": objects are for those who may use the bucket`);
}
