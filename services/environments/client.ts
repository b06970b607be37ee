import { createReadStream } from 'node:fs';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { HaicError, messageOf, unavailable } from '@haic/kit/errors.ts';

/** Not imported by name: that would load Node's WebSocket and fetch code into every launcher (measured: 6 MB each). */
const { request: httpRequest } = process.getBuiltinModule('node:http');

/** What an app asks for: the contents of its requirements.txt, and the wheels of its bundle that the file names by relative path. */
export interface EnvironmentRequest {
  /** '3.11' or 'default'. */
  readonly python: string;
  readonly requirements: string;
  /** `path` as written in the requirements, relative to the bundle's root; the file itself is uploaded with `putWheel` before. */
  readonly wheels?: readonly WheelReference[];
  /** Contents of a constraints file, e.g. "starlette<1". */
  readonly constraints?: string;
  /** Ignore what was published after this date: YYYY-MM-DD, or an RFC 3339 time. */
  readonly excludeNewer?: string;
  /**
   * When the app was published: YYYY-MM-DD, the newest file of its bundle. A cut-off like `excludeNewer`, but used only when what the index
   * has today does not fit together.
   */
  readonly publishedOn?: string;
  /**
   * Versions are chosen once for the same input and then remembered, so that a restart gets the same environment. With a scope (the app's
   * id) the choice is remembered for that app alone: another app with the same requirements chooses for itself.
   */
  readonly scope?: string;
}

export interface WheelReference {
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

export interface EnvironmentReady {
  readonly type: 'ready';
  /** The virtual environment; its interpreter is `<path>/bin/python`. Read-only for apps, shared, the same for the same lock. */
  readonly path: string;
  readonly hash: string;
  /** True when nothing had to be installed. */
  readonly cached: boolean;
  /** The lock as `uv pip compile --generate-hashes` wrote it. */
  readonly lockFile: string;
}

/** A requirement has no wheel: its build would run code, so the app builds it inside its own sandbox, with a cache of its own. */
export interface EnvironmentNeedsBuild {
  readonly type: 'needs-build';
  readonly packages: readonly string[];
  readonly message: string;
  /** The interpreter to build with. */
  readonly interpreter: string;
  /** YYYY-MM-DD: when the app may have been published, the most likely first; for a build that fails with what there is today. */
  readonly cutOffs: readonly string[];
}

export interface EnvironmentFailed {
  readonly type: 'failed';
  /** In plain words: what is wrong and what to do. */
  readonly message: string;
  /** The last lines of the tool. */
  readonly lines: readonly string[];
}

export type EnvironmentOutcome = EnvironmentReady | EnvironmentNeedsBuild | EnvironmentFailed;
export type EnvironmentEvent = { readonly type: 'log'; readonly line: string } | EnvironmentOutcome;

/** The platform's own copy of the Wave server. */
export interface Waved {
  readonly binary: string;
  /** The web files of the same version (H2O_WAVE_WEB_DIR). */
  readonly www: string;
  readonly version: string;
}

export interface EnvironmentsClient {
  /** Resolves and installs, or finds what is there. `onLine` gets each line of progress. Throws only when the installer is unreachable. */
  prepare(
    request: EnvironmentRequest,
    options?: { onLine?: (line: string) => void; signal?: AbortSignal },
  ): Promise<EnvironmentOutcome>;
  /** Uploads a wheel of the bundle. `fileName` is the wheel's own name (`x-1.0-py3-none-any.whl`). */
  putWheel(wheel: { file: string; fileName: string; sha256: string; signal?: AbortSignal }): Promise<void>;
  /** Installs the platform's waved on first use. */
  waved(options?: { signal?: AbortSignal }): Promise<Waved>;
  /** Says that an environment is still in use: one that nobody has asked for in 30 days is removed. Once a day is enough. */
  keep(hash: string, options?: { signal?: AbortSignal }): Promise<void>;
  health(options?: { signal?: AbortSignal }): Promise<void>;
}

/** The installer behind its Unix socket. Plain node:http: the launcher that bundles this starts often. */
export function connectInstaller(socketPath: string): EnvironmentsClient {
  return {
    prepare: async (request, options = {}) => {
      const response = await send(socketPath, {
        method: 'POST',
        path: '/environments',
        headers: { 'content-type': 'application/json' },
        signal: options.signal,
        write: (call) => void call.end(JSON.stringify(request)),
      });
      return readOutcome(response, options.onLine, options.signal);
    },
    putWheel: async (wheel) => {
      const path = `/wheels/${wheel.sha256}/${encodeURIComponent(wheel.fileName)}`;
      // A restart has its wheels there already: asking is cheaper than sending them again.
      const there = await receive(socketPath, { method: 'HEAD', path, signal: wheel.signal });
      there.resume();
      if (there.statusCode === 204) return;
      const response = await send(socketPath, {
        method: 'PUT',
        path,
        headers: { 'content-type': 'application/octet-stream' },
        signal: wheel.signal,
        write: (call) => {
          const file = createReadStream(wheel.file);
          file.on('error', (error) => call.destroy(error));
          call.on('close', () => file.destroy());
          file.pipe(call);
        },
      });
      response.resume();
    },
    waved: async (options = {}) => {
      const response = await send(socketPath, { method: 'GET', path: '/waved', signal: options.signal });
      return JSON.parse(await readText(response)) as Waved;
    },
    keep: async (hash, options = {}) => {
      const path = `/environments/${hash}/keep`;
      const response = await send(socketPath, { method: 'POST', path, signal: options.signal });
      response.resume();
    },
    health: async (options = {}) => {
      const response = await send(socketPath, { method: 'GET', path: '/health', signal: options.signal });
      response.resume();
    },
  };
}

interface Call {
  method: string;
  path: string;
  headers?: Record<string, string>;
  signal: AbortSignal | undefined;
  write?: (call: ClientRequest) => void;
}

async function send(socketPath: string, options: Call): Promise<IncomingMessage> {
  const response = await receive(socketPath, options);
  if (response.statusCode !== undefined && response.statusCode < 300) return response;
  throw problemOf(response.statusCode ?? 500, await readText(response));
}

function receive(socketPath: string, options: Call): Promise<IncomingMessage> {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const call = httpRequest({
      socketPath,
      method: options.method,
      path: options.path,
      // A connection of its own for each call: a reused one that the installer has just closed would fail for nothing.
      agent: false,
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    call.on('response', resolve);
    call.on('error', reject);
    if (options.write === undefined) call.end();
    else options.write(call);
  }).catch((error: unknown) => {
    if (options.signal?.aborted) throw options.signal.reason;
    throw unavailable('installer_unavailable', `The installer cannot be reached (${messageOf(error)}).`, {
      cause: error,
    });
  });
}

async function readOutcome(
  response: IncomingMessage,
  onLine: ((line: string) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<EnvironmentOutcome> {
  try {
    for await (const line of linesOf(response)) {
      const event = JSON.parse(line) as EnvironmentEvent;
      if (event.type !== 'log') return event;
      onLine?.(event.line);
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw stopped(error);
  }
  throw stopped();
}

const stopped = (cause?: unknown) =>
  unavailable('installer_unavailable', 'The installer stopped before the environment was ready. Try again.', {
    cause,
  });

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  return body;
}

function problemOf(status: number, body: string): HaicError {
  try {
    const problem = JSON.parse(body) as { code?: unknown; detail?: unknown };
    if (typeof problem.code === 'string' && typeof problem.detail === 'string')
      return new HaicError(problem.code, status, problem.detail);
  } catch {
    // Not the installer's own answer: the plain form below.
  }
  return new HaicError('unexpected_answer', status, `Unexpected answer ${status}: ${body.slice(0, 200)}`);
}
