import type { Buckets } from './buckets.ts';
import type { Bucket } from './model.ts';
import type { Deed, ObjectTrail } from './object-trail.ts';
import type { Wish } from './policy.ts';
import type { DriveRequest } from './request.ts';
import type { ObjectService } from './service.ts';

/** What operations work with. */
export interface OperationParts {
  readonly objects: ObjectService;
  readonly buckets: Buckets;
  readonly trail: ObjectTrail;
  /** Where people reach Drive; without a trailing slash. */
  readonly driveUrl: string;
}

/** One operation of S3, by Amazon's name for it. It writes its answer, or throws. */
export interface BucketOperation {
  readonly name: string;
  readonly wish: Wish;
  /** What the audit trail calls it; it hears of no operation without. */
  readonly deed?: Deed;
  handle(request: DriveRequest, bucket: Bucket, parts: OperationParts): Promise<void>;
}
