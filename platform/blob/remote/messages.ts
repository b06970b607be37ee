import type {
  BlobAttributes,
  BlobInfo,
  BlobPage,
  BlobPart,
  BlobUpload,
  ByteRange,
  ContentOptions,
  CopyOptions,
  ListOptions,
  PutOptions,
  UploadRef,
  WriteCondition,
} from '../port.ts';

type Unsignalled<T> = Omit<T, 'signal'>;

/**
 * The verbs of the port as one process asks another for them: `POST /<verb>`. What is asked stands in the body as JSON, or in a header
 * where the body is a content; what is answered likewise. `no content` is undefined.
 */
export interface Asked {
  readonly head: { readonly key: string };
  readonly delete: { readonly key: string; readonly options: { readonly ifMatch?: string } };
  readonly list: Unsignalled<ListOptions>;
  readonly copy: {
    readonly source: string;
    readonly target: string;
    readonly options: Unsignalled<CopyOptions>;
  };
  readonly createUpload: { readonly key: string; readonly options: BlobAttributes };
  readonly listParts: {
    readonly upload: UploadRef;
    readonly options: { readonly after?: number; readonly limit?: number };
  };
  readonly listUploads: {
    readonly prefix: string;
    readonly after?: { key: string; uploadId?: string };
    readonly limit?: number;
  };
  readonly completeUpload: {
    readonly upload: UploadRef;
    readonly parts: readonly { partNumber: number; etag: string }[];
    readonly options: WriteCondition;
  };
  readonly abortUpload: { readonly upload: UploadRef };
  readonly put: { readonly key: string; readonly options: Unsignalled<PutOptions> };
  readonly putPart: {
    readonly upload: UploadRef;
    readonly partNumber: number;
    readonly options: Unsignalled<ContentOptions>;
  };
  readonly get: { readonly key: string; readonly options: { readonly range?: ByteRange } };
}

export interface Answered {
  readonly head: BlobInfo | undefined;
  readonly delete: undefined;
  readonly list: BlobPage;
  readonly copy: BlobInfo | undefined;
  readonly createUpload: BlobUpload;
  readonly listParts: { upload: BlobUpload; parts: readonly BlobPart[]; more: boolean };
  readonly listUploads: { uploads: readonly BlobUpload[]; more: boolean };
  readonly completeUpload: BlobInfo;
  readonly abortUpload: undefined;
  readonly put: BlobInfo;
  readonly putPart: BlobPart;
}

export type Verb = keyof Asked;

/** Has the question where the body is a content, and the facts of the blob where the answer is one. */
export const messageHeader = 'x-haic-blob';
/** A key of 1200 bytes that JSON has to escape, and metadata. */
export const maxHeaderSize = 1 << 16;

export const toHeader = (message: object): string =>
  Buffer.from(JSON.stringify(message)).toString('base64url');
export const fromHeader = (text: string): string => Buffer.from(text, 'base64url').toString();

/** JSON has no dates. */
export const parseMessage = (text: string): unknown =>
  JSON.parse(text, (key, value: unknown) =>
    (key === 'modifiedAt' || key === 'startedAt') && typeof value === 'string' ? new Date(value) : value,
  );
