import assert from 'node:assert/strict';
import { HaicError } from '@haic/kit/errors.ts';
import type { PodTemplate, Runtime, Workload, WorkloadPhase, WorkloadSpec } from './port.ts';

/** What an adapter gives its contract test. The image has a POSIX `/bin/sh` and `/usr/bin/python3`. */
export interface ContractRuntime {
  readonly runtime: Runtime;
  readonly image: string;
  /** How long a test waits for a state before it gives up; default 20 s. A cluster counts in whole seconds, and is slow when it is busy. */
  readonly patienceMs?: number;
  stop(): Promise<void>;
}

/** Prints what it does, one line each; where paths begin is told by HAIC_ROOT. */
export const shell = (script: string): readonly string[] => ['/bin/sh', '-c', script];
/** Goes on until it is asked to end. */
export const idle = 'trap "exit 0" TERM; while :; do sleep 0.05; done';

/** Answers `/` with 200 unless the file that it is told of exists; then with 500. */
export const server = (port: string, trouble: string): string => `exec /usr/bin/python3 -uc '
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if os.path.exists("${trouble}") else 200)
        self.end_headers()
    def log_message(self, *_): pass
print("serving", os.getpid())
http.server.ThreadingHTTPServer(("", int(os.environ["${port}"])), Handler).serve_forever()
'`;

export interface Bench {
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  /** A specification with sensible defaults and a name of its own. */
  spec(template?: Partial<PodTemplate>, spec?: Partial<WorkloadSpec>): WorkloadSpec;
  apply(spec: WorkloadSpec): Promise<Workload>;
  /** The first state of the workload, from now on, that passes the check. */
  until(name: string, check: WorkloadPhase | ((workload: Workload) => boolean)): Promise<Workload>;
  gone(name: string): Promise<void>;
  lines(name: string, options?: { previous?: boolean; tailLines?: number }): Promise<string[]>;
  /** Waits for a line that passes and gives what the pattern caught, or the line. */
  line(name: string, pattern: RegExp): Promise<string>;
}

let count = 0;

export function createBench({ runtime, image, patienceMs = 20_000 }: Omit<ContractRuntime, 'stop'>): Bench {
  const signal = AbortSignal.timeout(6 * patienceMs);
  return {
    runtime,
    signal,
    spec(template = {}, spec = {}) {
      count += 1;
      return {
        name: `w${count}`,
        labels: {},
        annotations: {},
        replicas: 1,
        ...spec,
        template: {
          image,
          command: shell(idle),
          env: [],
          secret: {},
          ports: [],
          resources: {},
          volumes: [],
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 5,
          ...template,
        },
      };
    },
    apply: (spec) => runtime.apply(spec, { signal }),
    async until(name, check) {
      const passes =
        typeof check === 'string' ? (workload: Workload) => workload.status.phase === check : check;
      let last: Workload | undefined;
      const over = new AbortController();
      const patience = AbortSignal.any([signal, over.signal, AbortSignal.timeout(patienceMs)]);
      for await (const event of runtime.watch({}, { signal: patience })) {
        const all = event.type === 'SYNC' ? event.workloads : event.type === 'SET' ? [event.workload] : [];
        const found = all.find((workload) => workload.name === name);
        last = found ?? last;
        if (found !== undefined && passes(found)) {
          over.abort();
          return found;
        }
      }
      return assert.fail(`${name} stayed ${JSON.stringify(last?.status)}; waited for ${check}`);
    },
    async gone(name) {
      const over = new AbortController();
      for await (const event of runtime.watch({}, { signal: AbortSignal.any([signal, over.signal]) })) {
        const there = event.type === 'SYNC' && event.workloads.some((workload) => workload.name === name);
        if ((event.type === 'SYNC' && !there) || (event.type === 'REMOVED' && event.name === name))
          over.abort();
      }
    },
    async lines(name, options = {}) {
      const lines: string[] = [];
      for await (const line of runtime.logs(name, { ...options, signal })) lines.push(line);
      return lines;
    },
    async line(name, pattern) {
      const seen: string[] = [];
      const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
      for await (const line of runtime.logs(name, { follow: true, signal: patience })) {
        const match = pattern.exec(line);
        if (match !== null) return match[1] ?? line;
        seen.push(line);
      }
      return assert.fail(`no line ${pattern} among ${JSON.stringify(seen.slice(-20))}`);
    },
  };
}

/** For `assert.rejects`: the error that a user would meet. */
export const refusedWith = (code: string, status: number) => (error: unknown) => {
  assert.ok(error instanceof HaicError, String(error));
  assert.deepEqual([error.code, error.status], [code, status], error.message);
  return true;
};
