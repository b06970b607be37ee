import type { BlobEntry, BlobPart, BlobUpload } from '@haic/platform/blob/port.ts';
import type { DriveError } from './errors.ts';
import type { Bucket } from './model.ts';
import { percentEncodePath } from './signature/encoding.ts';
import type { AssumedRole } from './sts/assume-role.ts';
import { type Xml, xmlDocument } from './xml/write.ts';

const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
const stsNamespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** Milliseconds as Amazon writes them; some clients ask for them. */
const timeText = (time: Date) => time.toISOString();
export const quoted = (etag: string) => `"${etag}"`;

export const presentError = (error: DriveError, requestId: string, resource: string): string =>
  xmlDocument([
    'Error',
    [
      ['Code', error.code],
      ['Message', error.message],
      ['Resource', resource],
      ['RequestId', requestId],
    ],
  ]);

export const presentStsError = (error: DriveError, requestId: string): string =>
  xmlDocument(
    [
      'ErrorResponse',
      [
        [
          'Error',
          [
            ['Type', error.status < 500 ? 'Sender' : 'Receiver'],
            ['Code', error.code],
            ['Message', error.message],
          ],
        ],
        ['RequestId', requestId],
      ],
    ],
    stsNamespace,
  );

export const presentAssumedRole = (
  { credentials, principal, sessionName }: AssumedRole,
  requestId: string,
): string =>
  xmlDocument(
    [
      'AssumeRoleWithWebIdentityResponse',
      [
        [
          'AssumeRoleWithWebIdentityResult',
          [
            ['SubjectFromWebIdentityToken', principal.subject],
            [
              'AssumedRoleUser',
              [
                ['AssumedRoleId', `${principal.subject}:${sessionName}`],
                ['Arn', `arn:aws:sts:::assumed-role/drive/${sessionName}`],
              ],
            ],
            [
              'Credentials',
              [
                ['AccessKeyId', credentials.accessKeyId],
                ['SecretAccessKey', credentials.secretAccessKey],
                ['SessionToken', credentials.sessionToken],
                ['Expiration', timeText(credentials.expiresAt)],
              ],
            ],
            ['Provider', 'haic'],
          ],
        ],
        ['ResponseMetadata', [['RequestId', requestId]]],
      ],
    ],
    stsNamespace,
  );

const owner: Xml = [
  'Owner',
  [
    ['ID', 'haic'],
    ['DisplayName', 'haic'],
  ],
];

/** Buckets are there from the start of time: nobody makes them. */
export const presentBuckets = (buckets: readonly Bucket[]): string =>
  xmlDocument(
    [
      'ListAllMyBucketsResult',
      [
        owner,
        [
          'Buckets',
          buckets.map(
            ({ name }): Xml => [
              'Bucket',
              [
                ['Name', name],
                ['CreationDate', timeText(new Date(0))],
              ],
            ],
          ),
        ],
      ],
    ],
    s3Namespace,
  );

export const presentLocation = (): string => xmlDocument(['LocationConstraint', ''], s3Namespace);

export interface ListedPage {
  readonly bucket: Bucket;
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly maxKeys: number;
  /** Whether names are percent-encoded, as was asked for. */
  readonly urlEncoded: boolean;
  /** Keys without what the bucket puts before them. */
  readonly objects: readonly BlobEntry[];
  readonly prefixes: readonly string[];
  readonly isTruncated: boolean;
}

const listed = (page: ListedPage, between: readonly (Xml | undefined)[]): string => {
  const encode = nameEncoder(page.urlEncoded);
  return xmlDocument(
    [
      'ListBucketResult',
      [
        ['Name', page.bucket.name],
        ['Prefix', encode(page.prefix)],
        ...between,
        ['MaxKeys', page.maxKeys],
        page.delimiter === undefined ? undefined : ['Delimiter', encode(page.delimiter)],
        ['IsTruncated', page.isTruncated],
        page.urlEncoded ? ['EncodingType', 'url'] : undefined,
        ...page.objects.map(
          ({ key, modifiedAt, etag, size }): Xml => [
            'Contents',
            [
              ['Key', encode(key)],
              ['LastModified', timeText(modifiedAt)],
              ['ETag', quoted(etag)],
              ['Size', size],
              ['StorageClass', 'STANDARD'],
            ],
          ],
        ),
        ...page.prefixes.map((prefix): Xml => ['CommonPrefixes', [['Prefix', encode(prefix)]]]),
      ],
    ],
    s3Namespace,
  );
};

export const nameEncoder = (urlEncoded: boolean) => (text: string) =>
  urlEncoded ? percentEncodePath(text) : text;

export const presentListV1 = (page: ListedPage, marker: string, nextMarker: string | undefined): string => {
  const encode = nameEncoder(page.urlEncoded);
  return listed(page, [
    ['Marker', encode(marker)],
    nextMarker === undefined ? undefined : ['NextMarker', encode(nextMarker)],
  ]);
};

export const presentListV2 = (
  page: ListedPage,
  more: {
    readonly startAfter: string | undefined;
    readonly continuationToken: string | undefined;
    readonly nextContinuationToken: string | undefined;
  },
): string =>
  listed(page, [
    more.startAfter === undefined ? undefined : ['StartAfter', nameEncoder(page.urlEncoded)(more.startAfter)],
    more.continuationToken === undefined ? undefined : ['ContinuationToken', more.continuationToken],
    more.nextContinuationToken === undefined
      ? undefined
      : ['NextContinuationToken', more.nextContinuationToken],
    ['KeyCount', page.objects.length + page.prefixes.length],
  ]);

export const presentCopy = (
  kind: 'CopyObjectResult' | 'CopyPartResult',
  copied: { readonly etag: string; readonly modifiedAt: Date },
): string =>
  xmlDocument(
    [
      kind,
      [
        ['LastModified', timeText(copied.modifiedAt)],
        ['ETag', quoted(copied.etag)],
      ],
    ],
    s3Namespace,
  );

export interface DeleteOutcome {
  readonly key: string;
  readonly error?: DriveError;
}

export const presentDeleted = (outcomes: readonly DeleteOutcome[], quiet: boolean): string =>
  xmlDocument(
    [
      'DeleteResult',
      outcomes.map(({ key, error }): Xml | undefined => {
        if (error === undefined) return quiet ? undefined : ['Deleted', [['Key', key]]];
        return [
          'Error',
          [
            ['Key', key],
            ['Code', error.code],
            ['Message', error.message],
          ],
        ];
      }),
    ],
    s3Namespace,
  );

export const presentUpload = (bucket: Bucket, key: string, uploadId: string): string =>
  xmlDocument(
    [
      'InitiateMultipartUploadResult',
      [
        ['Bucket', bucket.name],
        ['Key', key],
        ['UploadId', uploadId],
      ],
    ],
    s3Namespace,
  );

export const presentCompleted = (bucket: Bucket, key: string, location: string, etag: string): string =>
  xmlDocument(
    [
      'CompleteMultipartUploadResult',
      [
        ['Location', location],
        ['Bucket', bucket.name],
        ['Key', key],
        ['ETag', quoted(etag)],
      ],
    ],
    s3Namespace,
  );

export const presentParts = (listing: {
  readonly bucket: Bucket;
  readonly key: string;
  readonly uploadId: string;
  readonly marker: number;
  readonly maxParts: number;
  readonly parts: readonly BlobPart[];
  readonly isTruncated: boolean;
}): string =>
  xmlDocument(
    [
      'ListPartsResult',
      [
        ['Bucket', listing.bucket.name],
        ['Key', listing.key],
        ['UploadId', listing.uploadId],
        ['PartNumberMarker', listing.marker],
        ['NextPartNumberMarker', listing.parts.at(-1)?.partNumber ?? listing.marker],
        ['MaxParts', listing.maxParts],
        ['IsTruncated', listing.isTruncated],
        ['StorageClass', 'STANDARD'],
        ...listing.parts.map(
          ({ partNumber, modifiedAt, etag, size }): Xml => [
            'Part',
            [
              ['PartNumber', partNumber],
              ['LastModified', timeText(modifiedAt)],
              ['ETag', quoted(etag)],
              ['Size', size],
            ],
          ],
        ),
      ],
    ],
    s3Namespace,
  );

export const presentUploads = (listing: {
  readonly bucket: Bucket;
  readonly prefix: string;
  readonly keyMarker: string;
  readonly uploadIdMarker: string;
  readonly maxUploads: number;
  readonly urlEncoded: boolean;
  /** Keys without what the bucket puts before them. */
  readonly uploads: readonly BlobUpload[];
  readonly isTruncated: boolean;
}): string => {
  const encode = nameEncoder(listing.urlEncoded);
  const last = listing.uploads.at(-1);
  return xmlDocument(
    [
      'ListMultipartUploadsResult',
      [
        ['Bucket', listing.bucket.name],
        ['KeyMarker', encode(listing.keyMarker)],
        ['UploadIdMarker', listing.uploadIdMarker],
        listing.isTruncated && last !== undefined ? ['NextKeyMarker', encode(last.key)] : undefined,
        listing.isTruncated && last !== undefined ? ['NextUploadIdMarker', last.uploadId] : undefined,
        ['Prefix', encode(listing.prefix)],
        ['MaxUploads', listing.maxUploads],
        listing.urlEncoded ? ['EncodingType', 'url'] : undefined,
        ['IsTruncated', listing.isTruncated],
        ...listing.uploads.map(
          ({ key, uploadId, startedAt }): Xml => [
            'Upload',
            [
              ['Key', encode(key)],
              ['UploadId', uploadId],
              ['Initiated', timeText(startedAt)],
              ['StorageClass', 'STANDARD'],
            ],
          ],
        ),
      ],
    ],
    s3Namespace,
  );
};
