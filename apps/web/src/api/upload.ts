import { csrfHeader, noteProblem, queryString } from './http.ts';
import { ApiError, problemFrom } from './problem.ts';
import type { App, Visibility } from './types.ts';

export interface UploadProgress {
  readonly sent: number;
  readonly total: number;
}

/** A server that refuses early may close the connection while the browser still sends: then its reason is lost to us. */
const brokenOff = (): ApiError =>
  new ApiError(
    0,
    'upload_broken_off',
    'The connection broke during the upload, and nothing was imported. Try again; if it happens at once, the bundle may be larger than this installation takes.',
  );

/** Imports a bundle. XMLHttpRequest, since fetch cannot tell how much of a request has been sent. */
export function uploadBundle(options: {
  file: File;
  visibility: Visibility;
  signal: AbortSignal;
  onProgress: (progress: UploadProgress) => void;
}): Promise<App> {
  const { promise, resolve, reject } = Promise.withResolvers<App>();
  const request = new XMLHttpRequest();
  const fail = (error: ApiError): void => {
    noteProblem(error);
    reject(error);
  };
  request.open('POST', `/api/v1/apps${queryString({ visibility: options.visibility })}`);
  request.setRequestHeader('accept', 'application/json');
  request.setRequestHeader('content-type', 'application/octet-stream');
  request.setRequestHeader('x-haic-file-name', encodeURIComponent(options.file.name));
  for (const [name, value] of Object.entries(csrfHeader())) request.setRequestHeader(name, value);
  request.upload.addEventListener('progress', (event) =>
    options.onProgress({ sent: event.loaded, total: event.total || options.file.size }),
  );
  request.addEventListener('load', () => {
    if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as App);
    else fail(problemFrom(request.status, request.responseText));
  });
  request.addEventListener('error', () => fail(brokenOff()));
  request.addEventListener('abort', () =>
    reject(new DOMException('The upload was cancelled.', 'AbortError')),
  );
  options.signal.addEventListener('abort', () => request.abort());
  request.send(options.file);
  return promise;
}
