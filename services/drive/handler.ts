import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import type { Logger } from '@haic/kit/logging.ts';
import type { Meter } from '@haic/kit/telemetry/meter.ts';
import type { Buckets } from './buckets.ts';
import { ClientGone } from './client-gone.ts';
import { allowPortal, answerPreflight } from './cors.ts';
import { createDeadline, type Patience } from './deadline.ts';
import { type DriveError, driveError } from './errors.ts';
import { driveErrorOf } from './from-error.ts';
import type { Bucket } from './model.ts';
import type { ObjectTrail } from './object-trail.ts';
import type { OperationParts } from './operation.ts';
import { operationOf } from './operations.ts';
import { enforce } from './policy.ts';
import { presentAssumedRole, presentError, presentStsError } from './present.ts';
import { refuse } from './refuse.ts';
import { type DriveRequest, readPath, readSignable } from './request.ts';
import { listBuckets } from './routes/list-buckets.ts';
import type { ObjectService } from './service.ts';
import type { Sessions } from './sessions.ts';
import type { SignableRequest } from './signature/canonical.ts';
import { verifySignature } from './signature/verify.ts';
import type { Standing } from './standing.ts';
import { assumeRole } from './sts/assume-role.ts';
import { readForm } from './sts/form.ts';
import { type DriveAudit, tellOfKeys, tellOfRefusal } from './sts/trail.ts';

export interface HandlerParts {
  readonly verifyToken: TokenVerifier;
  readonly sessions: Sessions;
  readonly standing: Standing;
  readonly buckets: Buckets;
  readonly objects: ObjectService;
  readonly trail: ObjectTrail;
  readonly patience: Patience;
  readonly driveUrl: string;
  /** Of the portal. */
  readonly portalOrigin: string;
  /** Without one, nothing is recorded. */
  readonly audit?: DriveAudit | undefined;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
}

/** Every request to Drive's listener: health, STS below `/sts`, S3 everywhere else. */
export function createHandler(
  parts: HandlerParts,
): (message: IncomingMessage, response: ServerResponse) => void {
  return (message, response) => {
    const id = randomUUID();
    parts.meter?.answer('objects', response);
    // Errors of the connection are for who reads or writes; one that nobody hears would end the process.
    message.on('error', () => {});
    response.on('error', () => {});
    // Objects are users' content: whatever it is, in a browser it runs nothing and is taken for nothing but what it says.
    response.setHeader('content-security-policy', 'sandbox');
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('x-amz-request-id', id);
    const isPortal = allowPortal(parts.portalOrigin, message, response);
    if (message.method === 'OPTIONS') return answerPreflight(isPortal, message, response);
    const path = (message.url ?? '').split('?', 1)[0] ?? '';
    const answer = path === '/healthz' ? health : path === '/sts' || path === '/sts/' ? sts : s3;
    answer(parts, message, response, id).catch((error: unknown) => {
      parts.logger.error({ err: error, requestId: id }, 'A request ended in an error that nobody caught.');
      response.destroy();
    });
  };
}

type Answer = (
  parts: HandlerParts,
  message: IncomingMessage,
  response: ServerResponse,
  id: string,
) => Promise<void>;

/** A database that is away is no reason to call this process unwell: reading goes on without it. */
const health: Answer = async (_parts, _message, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
};

const sts: Answer = async (parts, message, response, id) => {
  try {
    if (message.method !== 'POST') throw driveError('InvalidAction', 'Keys are asked for by POST.');
    if (message.headers.expect !== undefined) response.writeContinue();
    const assumed = await assumeRole(await readForm(message), parts);
    await tellOfKeys(parts.audit, message, assumed);
    const body = Buffer.from(presentAssumedRole(assumed, id));
    response
      .writeHead(200, {
        'content-type': 'text/xml',
        'content-length': body.length,
        'cache-control': 'no-store',
      })
      .end(body);
  } catch (thrown) {
    const error = tell(parts, message, id, thrown);
    // Told meanwhile: who is refused does not wait for the trail, and a body that is too long is not read on.
    const told = tellOfRefusal(parts.audit, message, error);
    await refuse({ message, response, proceeded: true }, error, presentStsError(error, id));
    await told;
  }
};

const s3: Answer = async (parts, message, response, id) => {
  const deadline = createDeadline(response, parts.patience);
  let proceeded = message.headers.expect === undefined;
  const proceed = () => {
    if (!proceeded) response.writeContinue();
    proceeded = true;
  };
  let resource = '';
  try {
    const signable = readSignable(message);
    resource = signable.rawPath;
    const request = await authenticate(parts, signable, { message, response, id, proceed, ...deadline });
    await answerS3(parts, request);
  } catch (thrown) {
    if (isGone(message, response, thrown)) return;
    const error = tell(parts, message, id, thrown);
    await refuse({ message, response, proceeded }, error, presentError(error, id, resource));
  } finally {
    deadline.end();
  }
};

type Exchange = Pick<DriveRequest, 'message' | 'response' | 'id' | 'proceed' | 'allow' | 'signal'>;

async function authenticate(
  { sessions, standing }: HandlerParts,
  signable: SignableRequest,
  exchange: Exchange,
): Promise<DriveRequest> {
  const verified = verifySignature(signable, sessions.open);
  const { bucket, key } = readPath(signable.rawPath);
  await standing.check(verified.session);
  return {
    ...verified,
    ...exchange,
    method: signable.method,
    bucket,
    key,
    ...headersIn(signable),
    query: (name) => signable.query.find((parameter) => parameter.name === name)?.value,
  };
}

/** Signers of addresses write metadata into the address, where a header would not be sent by whoever follows it. */
function headersIn({ headers, query }: SignableRequest): Pick<DriveRequest, 'header' | 'headerNames'> {
  const all = new Map(headers);
  for (const { name, value } of query)
    if (name.startsWith('x-amz-meta-') && !all.has(name)) all.set(name, [value]);
  return { headerNames: [...all.keys()], header: (name) => all.get(name)?.join(', ') };
}

async function answerS3(parts: HandlerParts, request: DriveRequest): Promise<void> {
  const shared: OperationParts = parts;
  if (request.bucket === '') {
    if (request.method === 'GET' && request.key === '') return listBuckets(request, shared);
    throw driveError('MethodNotAllowed', 'At the root there is a list of buckets, and nothing else.');
  }
  const operation = operationOf(request);
  let bucket: Bucket | undefined;
  try {
    bucket = await parts.buckets.find(request.session, request.bucket);
    enforce(bucket, operation.wish);
    await operation.handle(request, bucket, shared);
  } catch (error) {
    if (operation.deed !== undefined) parts.trail.refused(request, bucket, operation.deed, error);
    throw error;
  }
}

/** Nobody is there to be told. */
const isGone = (message: IncomingMessage, response: ServerResponse, thrown: unknown): boolean =>
  thrown instanceof ClientGone || response.destroyed || (message.destroyed && !message.complete);

/** The error as the client is told; what is ours to repair goes to the log. */
function tell({ logger }: HandlerParts, message: IncomingMessage, id: string, thrown: unknown): DriveError {
  const error = driveErrorOf(thrown);
  if (error.status >= 500 && error.code !== 'NotImplemented')
    // Without the query: a presigned address would be in it.
    logger.error(
      { err: error.cause ?? error, requestId: id, method: message.method, path: message.url?.split('?')[0] },
      error.message,
    );
  return error;
}
