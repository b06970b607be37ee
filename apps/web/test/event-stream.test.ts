import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEvents, type StreamEvent } from '../src/api/event-stream.ts';

async function parse(...pieces: readonly string[]): Promise<StreamEvent[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  const events: StreamEvent[] = [];
  for await (const event of parseEvents(body)) events.push(event);
  return events;
}

test('events are read across any cut of the stream', async () => {
  const whole =
    'retry: 1000\n\nid: 1\ndata: a: b\n\n: still here\n\nid: 2\nevent: instance\ndata: {"a":\ndata: 1}\n\n';
  const expected = [
    { id: '1', event: 'message', data: 'a: b' },
    { id: '2', event: 'instance', data: '{"a":\n1}' },
  ];
  assert.deepEqual(await parse(whole), expected);
  assert.deepEqual(await parse(...whole), expected);
  assert.deepEqual(await parse(...whole.replaceAll('\n', '\r\n')), expected);
});

test('an empty line of a log is an event, an unfinished event is none', async () => {
  assert.deepEqual(await parse('id: 7\ndata: \n\nid: 8\ndata: half'), [
    { id: '7', event: 'message', data: '' },
  ]);
});
