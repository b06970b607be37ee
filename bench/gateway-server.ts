import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Principal } from '@haic/kit/auth/principal.ts';
import type { TokenVerifier } from '@haic/kit/auth/verify-token.ts';
import { notFound, unauthenticated } from '@haic/kit/errors.ts';
import { mountGateway } from '@haic/kit/grpc-gateway/mount.ts';
import { serve } from '@haic/kit/grpc-gateway/service.ts';
import {
  type Book,
  BookSchema,
  Genre,
  ShelfService,
} from '@haic/kit/grpc-gateway/testing/gen/haic/testing/shelf/v1/shelf_pb.js';
import { createShelf } from '@haic/kit/grpc-gateway/testing/shelf.ts';
import { createHttpServer, type HttpServer, principalOf } from '@haic/kit/http/server.ts';
import { createLogger } from '@haic/kit/logging.ts';
import { Type } from 'typebox';

/**
 * `node gateway-server.ts plain|gateway PORT`: one API twice, on the same HTTP server with the same authentication: by the gateway, and as a route of
 * Fastify would be written by hand. Both check what comes in, and answer the same.
 */
const [, , mode, port] = process.argv;

/** Verified once and then known by the token, as the router does: what a signature costs is no matter of either side. */
const verifyToken: TokenVerifier = async (token) => {
  if (token !== 'ada') throw unauthenticated();
  return {
    subject: 'ada',
    username: 'ada',
    party: 'haic-portal',
    partyKind: 'portal',
    roles: [],
  } as Partial<Principal> as Principal;
};
const logger = createLogger('bench', 'error');
const server = createHttpServer({ logger, verifyToken, checkAnswers: false });
const born = new Date('2026-01-31T12:00:00.000Z');

async function mountByGateway(): Promise<void> {
  const books = new Map<string, Book>();
  const shelf = createShelf();
  const store = (book: Book, name: string, creator: string): Book => {
    book.name = name;
    book.createTime = timestampFromDate(born);
    book.annotations.creator = creator;
    books.set(name, book);
    return book;
  };
  store(create(BookSchema, sample), 'workspaces/w/books/b', 'ada');
  const implementation: typeof shelf = {
    ...shelf,
    getBook: ({ name }) => {
      const book = books.get(name);
      if (book === undefined) throw notFound('The book');
      return { book };
    },
    createBook: ({ parent, bookId, book = create(BookSchema) }) => ({
      book: store(book, `${parent}/books/${bookId}`, 'ada'),
    }),
  };
  const services = [serve(ShelfService, implementation, { json: { unsetTimestamps: 'null' } })];
  await mountGateway(server, { prefix: '/shelf', services, deed: 'see apps', logger });
}

const sample = {
  ...{ title: 'The Trial', genre: Genre.NOVEL, pageCount: 304, copiesSold: 1_000_000n },
  ...{ lent: true, weight: 0.4, authors: ['Kafka'], annotations: { shelf: 'k' } },
};

const genres = ['GENRE_UNSPECIFIED', 'GENRE_NOVEL', 'GENRE_POEM'] as const;
const time = Type.Union([
  Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$' }),
  Type.Null(),
]);
const PublisherBody = Type.Object({
  displayName: Type.Optional(Type.String()),
  city: Type.Optional(Type.String()),
  foundingTime: Type.Optional(time),
});
const BookBody = Type.Object({
  title: Type.Optional(Type.String()),
  genre: Type.Optional(Type.Enum([...genres])),
  pageCount: Type.Optional(Type.Integer({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 })),
  copiesSold: Type.Optional(Type.String({ pattern: '^-?\\d{1,19}$' })),
  isbn: Type.Optional(Type.String({ pattern: '^\\d{1,20}$' })),
  lent: Type.Optional(Type.Boolean()),
  weight: Type.Optional(Type.Number()),
  rating: Type.Optional(Type.Number()),
  cover: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/_-]*=*$' })),
  authors: Type.Optional(Type.Array(Type.String())),
  annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
  createTime: Type.Optional(time),
  deleteTime: Type.Optional(time),
  otherGenres: Type.Optional(Type.Array(Type.Enum([...genres]))),
  publisher: Type.Optional(PublisherBody),
  formerPublishers: Type.Optional(Type.Array(PublisherBody)),
});

interface PlainBook {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
}

function mountByHand(http: HttpServer): void {
  const books = new Map<string, PlainBook>();
  const config = { deed: 'see apps' as const };
  const store = (body: object, name: string, creator: string): PlainBook => {
    const given = { ...empty, ...body };
    const annotations = { ...given.annotations, creator };
    const book = { ...given, name, annotations, createTime: born.toISOString().replace('.000', '') };
    books.set(name, book);
    return book;
  };
  store(
    { ...sample, genre: 'GENRE_NOVEL', copiesSold: String(sample.copiesSold) },
    'workspaces/w/books/b',
    'ada',
  );
  const params = Type.Object({ workspace: Type.String(), book: Type.Optional(Type.String()) });
  http.get<{ Params: { workspace: string; book: string } }>(
    '/shelf/v1/workspaces/:workspace/books/:book',
    { config, schema: { params } },
    async (request) => {
      principalOf(request);
      const { workspace, book } = request.params;
      const found = books.get(`workspaces/${workspace}/books/${book}`);
      if (found === undefined) throw notFound('The book');
      return { book: found };
    },
  );
  const querystring = Type.Object({ bookId: Type.Optional(Type.String()) });
  http.post<{ Params: { workspace: string }; Querystring: { bookId?: string } }>(
    '/shelf/v1/workspaces/:workspace/books',
    { config, schema: { params, querystring, body: BookBody } },
    async (request) => {
      const { username } = principalOf(request);
      const name = `workspaces/${request.params.workspace}/books/${request.query.bookId}`;
      return { book: store(request.body as object, name, username) };
    },
  );
}

/** In the order of the proto, as the gateway writes it. */
const empty = {
  ...{
    name: '',
    title: '',
    genre: 'GENRE_UNSPECIFIED',
    pageCount: 0,
    copiesSold: '0',
    isbn: '0',
    lent: false,
  },
  ...{ weight: 0, rating: 0, cover: '', authors: [] as string[], annotations: {} as Record<string, string> },
  ...{ createTime: null as string | null, deleteTime: null, otherGenres: [] as string[] },
  ...{ formerPublishers: [], publisherByYear: {} },
};

if (mode === 'gateway') await mountByGateway();
else mountByHand(server);
server.get('/healthz', { config: { public: 'health' } }, async () => ({ status: 'ok' }));
await server.listen({ host: '127.0.0.1', port: Number(port) });
