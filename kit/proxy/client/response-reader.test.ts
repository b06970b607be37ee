import assert from 'node:assert/strict';
import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadResponse, type ResponseHead } from './response-head.ts';
import { ResponseReader } from './response-reader.ts';

interface Outcome {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: string;
  /** Whole by its own framing, before the connection ended. */
  readonly framed: boolean;
  readonly whole: boolean;
  /** Bytes that do not belong to the answer. */
  readonly surplus: number;
}

/** Reads an answer that arrives in packets, after which the connection ends. Throws what the reader throws. */
function readAll(packets: readonly string[], toHead = false): Outcome {
  let head: ResponseHead | undefined;
  let body = '';
  const reader = new ResponseReader(
    {
      head: (seen) => {
        head = seen;
      },
      data: (bytes, from, to) => {
        body += bytes.toString('latin1', from, to);
      },
    },
    toHead,
  );
  let surplus = 0;
  for (const packet of packets) {
    const bytes = Buffer.from(packet, 'latin1');
    surplus += bytes.length - (reader.done ? 0 : reader.read(bytes, bytes.length));
  }
  const framed = reader.done;
  const whole = reader.finish();
  return { status: head?.status, headers: head?.headers ?? [], body, framed, whole, surplus };
}

const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

const sound: Record<string, readonly [answer: string, expected: Partial<Outcome>]> = {
  'a body with a length': ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', { body: 'abc', framed: true }],
  'a body of no bytes': [
    'HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n',
    { status: 404, body: '', framed: true },
  ],
  'a status line without reason': ['HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na', { body: 'a', framed: true }],
  chunks: [`${chunkedHead}3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n`, { body: 'abc0123456789', framed: true }],
  'chunks with extensions and trailers': [
    `${chunkedHead}3;a="b c";d\r\nabc\r\n0;e\r\nX-One: 1\r\nX-Two:\r\n\r\n`,
    { body: 'abc', framed: true },
  ],
  'chunk data that looks like frames': [
    `${chunkedHead}7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n`,
    { body: '\r\n0\r\n\r\n', framed: true },
  ],
  'a body until the end': ['HTTP/1.1 200 OK\r\n\r\nabc', { body: 'abc', framed: false, whole: true }],
  'HTTP/1.0': ['HTTP/1.0 200 OK\r\nX-A: 1\r\n\r\nabc', { headers: ['x-a', '1'], body: 'abc', whole: true }],
  'an answer without a body': [
    'HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n',
    { body: '', framed: true },
  ],
  'interim answers before the final one': [
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na',
    { status: 201, headers: ['content-length', '1'], body: 'a', framed: true },
  ],
  'bytes of UTF-8, blanks around a value and an empty value': [
    'HTTP/1.1 304 x\r\nX-A:\t \xc3\xa0 \t\r\nX-B:\r\nx-a: 2\r\n\r\n',
    { headers: ['x-a', '\xc3\xa0', 'x-b', '', 'x-a', '2'], framed: true },
  ],
};

for (const [what, [answer, expected]] of Object.entries(sound)) {
  test(`${what}: read the same wherever the packets are cut`, () => {
    const outcome = readAll([answer]);
    for (const [name, value] of Object.entries(expected))
      assert.deepEqual(outcome[name as keyof Outcome], value, name);
    assert.equal(outcome.surplus, 0);
    assert.equal(outcome.whole, true);
    for (let at = 1; at < answer.length; at++)
      assert.deepEqual(readAll([answer.slice(0, at), answer.slice(at)]), outcome, `cut at ${at}`);
    assert.deepEqual(readAll([...answer]), outcome, 'byte by byte');
  });
}

const withHeader = (lines: string, body = '') => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n${body}`;

const hostile: Record<string, string> = {
  'no HTTP': 'nonsense\r\n\r\n',
  'another version': 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
  'a status of two digits': 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n',
  'a status that begins with 0': 'HTTP/1.1 020 OK\r\nContent-Length: 0\r\n\r\n',
  'a status that goes on': 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
  'a blank before the status line': ' HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'an empty line first': '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'another protocol': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
  'bare line feeds': 'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
  'one bare line feed': withHeader('X-A: 1\nX-B: 2\r\nContent-Length: 0'),
  'a bare carriage return': withHeader('X-A: 1\rX-B: 2\r\nContent-Length: 0'),
  'a carriage return before the line break': withHeader('X-A: 1\r\r\nContent-Length: 0'),
  'a NUL': withHeader('X-A: 1\0\r\nContent-Length: 0'),
  'a control character': withHeader('X-A: \x7f\r\nContent-Length: 0'),
  'a folded header': withHeader('X-A: 1\r\n 2\r\nContent-Length: 0'),
  'a header folded by a tab': withHeader('X-A: 1\r\n\tContent-Length: 5\r\nContent-Length: 0'),
  'a blank before the colon': withHeader('Content-Length : 0'),
  'a header without name': withHeader(': 1\r\nContent-Length: 0'),
  'a header without colon': withHeader('Content-Length\r\nContent-Length: 0'),
  'a name that is no word': withHeader('X(A): 1\r\nContent-Length: 0'),
  'two lengths': withHeader('Content-Length: 1\r\nContent-Length: 2', 'ab'),
  'the same length twice': withHeader('Content-Length: 1\r\ncontent-length: 1', 'a'),
  'a list of lengths': withHeader('Content-Length: 1, 1', 'a'),
  'a signed length': withHeader('Content-Length: +1', 'a'),
  'a negative length': withHeader('Content-Length: -1', 'a'),
  'a length in hex': withHeader('Content-Length: 0x1', 'a'),
  'an empty length': withHeader('Content-Length:'),
  'a length that no number holds': withHeader('Content-Length: 99999999999999999999', 'a'),
  'a length and chunks': withHeader('Content-Length: 3\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'chunks and a length': withHeader('Transfer-Encoding: chunked\r\nContent-Length: 3', '0\r\n\r\n'),
  'chunks not last': withHeader('Transfer-Encoding: chunked, gzip', '0\r\n\r\n'),
  'chunks of something else': withHeader('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
  'disguised chunks': withHeader('Transfer-Encoding: xchunked', '0\r\n\r\n'),
  'two encodings': withHeader('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a chunk without size': `${chunkedHead}\r\nabc\r\n0\r\n\r\n`,
  'a chunk size with a sign': `${chunkedHead}+3\r\nabc\r\n0\r\n\r\n`,
  'a chunk size with a prefix': `${chunkedHead}0x3\r\nabc\r\n0\r\n\r\n`,
  'a blank before a chunk size': `${chunkedHead} 3\r\nabc\r\n0\r\n\r\n`,
  'a blank behind a chunk size': `${chunkedHead}3 \r\nabc\r\n0\r\n\r\n`,
  'a chunk size that no number holds': `${chunkedHead}fffffffffffffff0\r\nabc\r\n0\r\n\r\n`,
  'a chunk longer than it says': `${chunkedHead}3\r\nabcd\r\n0\r\n\r\n`,
  'a chunk shorter than it says': `${chunkedHead}5\r\nabc\r\n0\r\n\r\n`,
  'a chunk size that ends with a bare line feed': `${chunkedHead}3\nabc\r\n0\r\n\r\n`,
  'a chunk that ends with a bare line feed': `${chunkedHead}3\r\nabc\n0\r\n\r\n`,
  'a bare line feed in an extension': `${chunkedHead}3;a\nb\r\nabc\r\n0\r\n\r\n`,
  'a bare carriage return in an extension': `${chunkedHead}3;a\rb\r\nabc\r\n0\r\n\r\n`,
  'an extension without name': `${chunkedHead}3;\r\nabc\r\n0\r\n\r\n`,
  'an open quote in an extension': `${chunkedHead}3;a="b\r\nabc\r\n0\r\n\r\n`,
  'a trailer without colon': `${chunkedHead}0\r\nX-A\r\n\r\n`,
  'a folded trailer': `${chunkedHead}0\r\nX-A: 1\r\n 2\r\n\r\n`,
  'a trailer with a bare line feed': `${chunkedHead}0\r\nX-A: 1\nX-B: 2\r\n\r\n`,
  'endless trailers': `${chunkedHead}0\r\n${'X-A: 1\r\n'.repeat(10_000)}\r\n`,
  'an endless extension': `${chunkedHead}3;${'a'.repeat(70_000)}\r\nabc\r\n0\r\n\r\n`,
  'a head without end': `HTTP/1.1 200 OK\r\n${'X-Long: aaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(3000)}`,
  'one long header': withHeader(`X-Long: ${'a'.repeat(66_000)}\r\nContent-Length: 0`),
  'interim answers without end': 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(3000),
};

for (const [what, answer] of Object.entries(hostile)) {
  test(`an answer with ${what} is refused, wherever the packets are cut`, () => {
    assert.throws(() => readAll([answer]), BadResponse);
    const cuts = answer.length > 1000 ? [1, 20, 1000, answer.length - 1] : answer.split('').keys();
    for (const at of cuts)
      assert.throws(() => readAll([answer.slice(0, at), answer.slice(at)]), BadResponse, `cut at ${at}`);
  });
}

test('an answer that is cut short is not whole, wherever it is cut', () => {
  for (const answer of [
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    `${chunkedHead}3;x\r\nabc\r\n0\r\nX-A: 1\r\n\r\n`,
  ])
    for (let at = 0; at < answer.length; at++) assert.equal(readAll([answer.slice(0, at)]).whole, false);
});

test('what follows an answer is not read as part of it', () => {
  const next = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
  for (const [answer, toHead] of [
    ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', false],
    [`${chunkedHead}3\r\nabc\r\n0\r\nX-A: 1\r\n\r\n`, false],
    ['HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', false],
    ['HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', false],
    ['HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', true],
  ] as const) {
    const outcome = readAll([answer + next], toHead);
    assert.equal(outcome.surplus, next.length);
    assert.doesNotMatch(outcome.body, /poison/);
  }
});

test('whether the connection may be kept is what both sides can know', () => {
  const kept = (lines: string, version = '1.1') => {
    let ms = -1;
    const reader = new ResponseReader({ head: ({ keepMs }) => (ms = keepMs), data: () => {} }, false);
    const bytes = Buffer.from(`HTTP/${version} 200 OK\r\n${lines}\r\n`);
    reader.read(bytes, bytes.length);
    return ms;
  };
  assert.equal(kept('Content-Length: 0\r\n'), 4000);
  assert.equal(kept(''), 0, 'the end of the connection ends the body');
  assert.equal(kept('Content-Length: 0\r\nConnection: Close\r\n'), 0);
  assert.equal(kept('Content-Length: 0\r\nConnection: x\r\nConnection: y, close\r\n'), 0);
  assert.equal(kept('Content-Length: 0\r\n', '1.0'), 0);
  assert.equal(kept('Content-Length: 0\r\nConnection: keep-alive\r\n', '1.0'), 4000);
  assert.equal(kept('Content-Length: 0\r\nKeep-Alive: timeout=5, max=100\r\n'), 3000);
  assert.equal(kept('Content-Length: 0\r\nKeep-Alive: timeout=2\r\n'), 0);
  assert.equal(kept('Content-Length: 0\r\nKeep-Alive: timeout=9999\r\n'), 60_000);
});

/** What node's own client makes of the same bytes; undefined when it refuses them. */
function readByNode(answer: string): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    const connection = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
    const call = request({ createConnection: () => connection, host: 'a' }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (chunk) => {
        body += chunk;
      });
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on('error', () => resolve(undefined)).on('upgrade', () => resolve(undefined));
    call.end();
    call.on('socket', () =>
      setImmediate(() => {
        connection.push(Buffer.from(answer, 'latin1'));
        connection.push(null);
      }),
    );
  });
}

const fragments = fc.constantFrom(
  ...[
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 200 OK\r\n',
    'HTTP/1.1 204 No\r\n',
    'HTTP/1.1 100 C\r\n\r\n',
    '\r\n',
    '\r\n\r\n',
  ],
  ...[
    'Content-Length: 3\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Connection: close\r\n',
  ],
  ...[
    'X-A: 1\r\n',
    ' 2\r\n',
    '\n',
    '\r',
    ':',
    ' ',
    '\0',
    '\xe0',
    ';',
    '0\r\n',
    '3\r\n',
    '5;x=y\r\n',
    'abc',
    'abcde',
  ],
);
const framedAnswer = fc
  .record({ body: fc.array(fc.string({ unit: 'binary', maxLength: 20 })), chunked: fc.boolean() })
  .map(({ body, chunked }) => {
    const pieces = body.map((piece) => Buffer.from(piece).toString('latin1')).filter((piece) => piece !== '');
    const whole = pieces.join('');
    if (!chunked) return `HTTP/1.1 200 OK\r\nContent-Length: ${whole.length}\r\n\r\n${whole}`;
    return `${chunkedHead}${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`;
  });
/** Sound answers, sound answers with something put in or taken out, and heaps of what answers are made of. */
const anyAnswer = fc.oneof(
  framedAnswer,
  fc
    .tuple(framedAnswer, fc.nat(120), fc.nat(2), fragments)
    .map(([answer, at, gone, put]) => answer.slice(0, at) + put + answer.slice(at + gone)),
  fc.array(fragments, { maxLength: 14 }).map((parts) => `HTTP/1.1 200 OK\r\n${parts.join('')}`),
);

test("whatever is accepted, node's own client reads in the same way", async () => {
  await fc.assert(
    fc.asyncProperty(anyAnswer, async (answer) => {
      let ours: Outcome;
      try {
        ours = readAll([answer]);
      } catch (error) {
        assert.ok(error instanceof BadResponse, String(error));
        return;
      }
      if (!ours.whole) return;
      const theirs = await readByNode(answer.slice(0, answer.length - ours.surplus));
      assert.deepEqual({ status: ours.status, body: ours.body }, theirs);
    }),
    { numRuns: 1500 },
  );
});

test('packets make no difference', () => {
  const outcomeOf = (packets: readonly string[]): Outcome | 'refused' => {
    try {
      return readAll(packets);
    } catch (error) {
      assert.ok(error instanceof BadResponse, String(error));
      return 'refused';
    }
  };
  fc.assert(
    fc.property(anyAnswer, fc.array(fc.nat(100), { maxLength: 5 }), (answer, cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), answer.length];
      const packets = at.slice(1).map((end, i) => answer.slice(at[i], end));
      const outcome = outcomeOf(packets.filter((packet) => packet !== ''));
      assert.deepEqual(outcome, outcomeOf([answer]));
    }),
    { numRuns: 3000 },
  );
});
