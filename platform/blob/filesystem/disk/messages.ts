import type { OperationName } from './operations.ts';

export interface Question {
  readonly id: number;
  readonly name: OperationName;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PortableError };

/** What is told apart of an error; of one that is cloned the code would be lost. */
export interface PortableError {
  readonly message: string;
  readonly code?: string;
  readonly syscall?: string;
  readonly path?: string;
}

export function toPortable(thrown: unknown): PortableError {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const { message, code, syscall, path } = thrown as NodeJS.ErrnoException;
  return {
    message,
    ...(code === undefined ? {} : { code }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(path === undefined ? {} : { path }),
  };
}

export const fromPortable = ({ message, ...more }: PortableError): Error =>
  Object.assign(new Error(message), more);

/** Messages bring buffers as plain arrays of bytes. */
export const asBuffer = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;

/** The memory that changes hands with a message. */
export const memoryIn = (values: readonly unknown[]): ArrayBuffer[] =>
  values.filter((value) => value instanceof Uint8Array).map(({ buffer }) => buffer as ArrayBuffer);
