import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  conflict,
  forbidden,
  HaicError,
  insufficientStorage,
  invalid,
  notFound,
  tooLarge,
  tooMany,
  unauthenticated,
  unavailable,
} from '../errors.ts';
import { httpStatusOf, statusOf, toHaicError, toRpcError } from './errors.ts';
import { PublisherSchema } from './testing/gen/haic/testing/shelf/v1/shelf_pb.js';

describe('errors between the catalogue and gRPC', () => {
  const rows: readonly (readonly [HaicError, Code, number])[] = [
    [invalid('bad_name', 'x'), Code.InvalidArgument, 400],
    [invalid('failed_precondition', 'x'), Code.FailedPrecondition, 400],
    [unauthenticated(), Code.Unauthenticated, 401],
    [forbidden('not_yours', 'x'), Code.PermissionDenied, 403],
    [notFound('It'), Code.NotFound, 404],
    [conflict('already_exists', 'x'), Code.AlreadyExists, 409],
    [conflict('name_taken', 'x'), Code.AlreadyExists, 409],
    [conflict('changed_meanwhile', 'x'), Code.Aborted, 409],
    [tooLarge('too_large', 'x'), Code.ResourceExhausted, 413],
    [tooMany('x'), Code.ResourceExhausted, 429],
    [unavailable('away', 'x'), Code.Unavailable, 503],
    [insufficientStorage('x'), Code.ResourceExhausted, 507],
    [new HaicError('teapot', 418, 'x'), Code.InvalidArgument, 418],
    [new HaicError('not_there_yet', 501, 'x'), Code.Unimplemented, 501],
    [new HaicError('odd', 500, 'x'), Code.Internal, 500],
  ];
  for (const [error, code, status] of rows)
    it(`${error.code} with status ${error.status} is ${Code[code]}, and itself again`, () => {
      const rpc = toRpcError(error);
      assert.deepEqual([rpc.code, httpStatusOf(rpc)], [code, status]);
      assert.equal(toHaicError(rpc), error);
      // What arrives elsewhere has no cause.
      const arrived = toHaicError(new ConnectError(rpc.rawMessage, rpc.code, rpc.metadata));
      assert.deepEqual([arrived.code, arrived.message], [error.code, error.message]);
    });

  it('have by their codes the statuses of google/rpc/code.proto where they are none of ours', () => {
    const statuses = Array.from({ length: 16 }, (_, at) => httpStatusOf(new ConnectError('x', at + 1)));
    assert.deepEqual(statuses, [
      ...[499, 500, 400, 504, 404, 409, 403, 429],
      ...[400, 409, 400, 501, 500, 503, 500, 401],
    ]);
  });

  it('names the code of who has none of ours', () => {
    const error = toHaicError(new ConnectError('Gone.', Code.DeadlineExceeded));
    assert.deepEqual([error.code, error.status], ['deadline_exceeded', 504]);
  });

  it('says nothing of what is nobody else’s', () => {
    const error = toRpcError(new Error('password=hunter2'));
    assert.equal(error.code, Code.Internal);
    assert.doesNotMatch(JSON.stringify(statusOf(error)) + error.message, /hunter2/);
  });

  it('knows a database that is away', () => {
    const away = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    assert.deepEqual([toRpcError(away).code, httpStatusOf(toRpcError(away))], [Code.Unavailable, 503]);
  });

  it('writes details with their types', () => {
    const details = [{ desc: PublisherSchema, value: { city: 'Rom' } }];
    assert.deepEqual(statusOf(new ConnectError('x', Code.NotFound, undefined, details)), {
      code: 5,
      message: 'x',
      details: [{ '@type': 'type.googleapis.com/haic.testing.shelf.v1.Publisher', city: 'Rom' }],
    });
  });
});
