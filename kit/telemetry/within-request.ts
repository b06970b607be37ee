import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from './tracer.ts';

/** What belongs to the request that is being answered, for whatever it starts. */
interface Answering {
  readonly requestId: string;
  readonly span: Span | undefined;
}

const current = new AsyncLocalStorage<Answering>();

/** What `work` does, and whatever that starts, belongs to this request. */
export const withinRequest = <T>(requestId: string, span: Span | undefined, work: () => T): T =>
  current.run({ requestId, span }, work);

/** The request that is being answered, if any. */
export const currentRequestId = (): string | undefined => current.getStore()?.requestId;

/** A part of a request that is worth seeing in its trace. Without a trace it is `work` and nothing else. */
export async function traced<T>(name: string, work: () => Promise<T>): Promise<T> {
  const answering = current.getStore();
  if (answering?.span === undefined) return work();
  const span = answering.span.child(name);
  try {
    return await current.run({ ...answering, span }, work);
  } catch (error) {
    span.failed();
    throw error;
  } finally {
    span.end();
  }
}
