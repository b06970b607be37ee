import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { HaicError, invalid, notFound } from '../../errors.ts';
import { callerOf } from '../service.ts';
import { BookSchema, type ShelfService } from './gen/haic/testing/shelf/v1/shelf_pb.js';

export interface Shelf extends ServiceImpl<typeof ShelfService> {
  /** Resolves when the call that stays, or waits, has heard that its caller is gone; with the name of the reason. */
  readonly left: Promise<string>;
  /** Resolves when such a call has begun to wait. */
  readonly came: Promise<void>;
}

/** A service that answers what it was asked, so that a test sees what arrived. Names that begin with a word below fail in that way. */
export function createShelf(): Shelf {
  const left = Promise.withResolvers<string>();
  const came = Promise.withResolvers<void>();
  const untilGone = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      const leave = () => {
        left.resolve(String(signal.reason));
        reject(signal.reason);
      };
      came.resolve();
      if (signal.aborted) leave();
      signal.addEventListener('abort', leave);
    });
  return {
    left: left.promise,
    came: came.promise,
    createBook: ({ parent, bookId, book = create(BookSchema) }) => {
      book.name = `${parent}/books/${bookId || 'new'}`;
      return { book };
    },
    getBook: ({ name }, context) => {
      failAs(name);
      context.responseHeader.set('x-caller', callerOf(context).username);
      return { book: { name } };
    },
    listBooks: (request) => ({ books: [], nextPageToken: '', request }),
    updateBook: ({ book = create(BookSchema), updateMask }) => {
      book.checked = updateMask ?? create(FieldMaskSchema, { paths: ['no mask'] });
      return { book };
    },
    deleteBook: () => ({}),
    undeleteBook: ({ name }) => ({ book: { name } }),
    batchCreateBooks: ({ requests }) => ({ books: requests.map(({ book }) => book ?? create(BookSchema)) }),
    async *readBook({ name, lines, fail, stay }, { signal }) {
      failAs(name);
      for (let line = 1; line <= lines; line++) yield { line, text: `${name} ${line}` };
      if (fail) throw invalid('torn', 'The next page is torn out.');
      if (stay) await untilGone(signal);
    },
    echoBook: ({ book }): { book?: MessageInitShape<typeof BookSchema> } =>
      book === undefined ? {} : { book },
    wait: (_, { signal }) => untilGone(signal),
  };
}

const failures: Readonly<Record<string, () => Error>> = {
  missing: () => notFound('The book'),
  taken: () => new HaicError('name_taken', 409, 'That name is taken. Choose another.'),
  broken: () => new Error('password=hunter2'),
};

function failAs(name: string): void {
  const failure = failures[name.split('/').at(-1) ?? ''];
  if (failure !== undefined) throw failure();
}
