import { parentPort } from 'node:worker_threads';
import { type Answer, asBuffer, memoryIn, type Question, toPortable } from './messages.ts';
import { createOperations, perform } from './operations.ts';

/** The program of a thread (threads.ts): one operation after the other. */
const operations = createOperations();

parentPort?.on('message', ({ id, name, args }: Question) => {
  let answer: Answer;
  try {
    answer = { id, result: perform(operations, name, args.map(asBuffer)) };
  } catch (error) {
    answer = { id, error: toPortable(error) };
  }
  parentPort?.postMessage(answer, 'result' in answer ? memoryIn([answer.result]) : []);
});
