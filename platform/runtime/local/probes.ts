import { request } from 'node:http';
import { connect } from 'node:net';
import { sleep } from '@haic/kit/deadline.ts';
import type { PodTemplate, Probe } from '../port.ts';
import { loopback } from './ports.ts';

export interface ProbeEvents {
  started(): void;
  ready(): void;
  /** Readiness was lost, or did not come for as many tries as the threshold says. */
  notReady(message: string): void;
  /** The process has to be ended. */
  failed(message: string): void;
}

/** Asks the process of one attempt until the signal aborts. Without a startup probe it is started at once, and so on. */
export async function runProbes(
  template: Pick<PodTemplate, 'startupProbe' | 'readinessProbe' | 'livenessProbe'>,
  ports: Readonly<Record<string, number>>,
  events: ProbeEvents,
  options: { signal: AbortSignal; alreadyStarted: boolean },
): Promise<void> {
  const { signal } = options;
  const { startupProbe, readinessProbe, livenessProbe } = template;
  try {
    if (startupProbe !== undefined && !options.alreadyStarted) {
      const failure = await untilStarted(startupProbe, ports, signal);
      if (failure !== undefined) return events.failed(`The startup probe failed: ${failure}`);
    }
    events.started();
    if (readinessProbe === undefined) events.ready();
    await Promise.all([
      readinessProbe &&
        follow(readinessProbe, ports, signal, events.ready, (why) =>
          events.notReady(`It is not ready: ${why}`),
        ),
      livenessProbe &&
        follow(
          livenessProbe,
          ports,
          signal,
          () => {},
          (why) => events.failed(`The liveness probe failed: ${why}`),
        ),
    ]);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function untilStarted(probe: Probe, ports: Readonly<Record<string, number>>, signal: AbortSignal) {
  await sleep((probe.initialDelaySeconds ?? 0) * 1_000, signal);
  for (let failures = 0; ; ) {
    const failure = await ask(probe, ports, signal);
    if (failure === undefined) return undefined;
    failures += 1;
    if (failures >= (probe.failureThreshold ?? 3)) return failure;
    await sleep((probe.periodSeconds ?? 10) * 1_000, signal);
  }
}

async function follow(
  probe: Probe,
  ports: Readonly<Record<string, number>>,
  signal: AbortSignal,
  onSuccess: () => void,
  onFailure: (why: string) => void,
): Promise<void> {
  await sleep((probe.initialDelaySeconds ?? 0) * 1_000, signal);
  for (let failures = 0; ; ) {
    const failure = await ask(probe, ports, signal);
    signal.throwIfAborted();
    failures = failure === undefined ? 0 : failures + 1;
    if (failure === undefined) onSuccess();
    else if (failures >= (probe.failureThreshold ?? 3)) onFailure(failure);
    await sleep((probe.periodSeconds ?? 10) * 1_000, signal);
  }
}

/** Undefined is success; otherwise why not. */
async function ask(
  probe: Probe,
  ports: Readonly<Record<string, number>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const port = ports[probe.check.port];
  if (port === undefined) return `it has no port ${probe.check.port}`;
  const timeoutMs = Math.max(50, (probe.timeoutSeconds ?? 1) * 1_000);
  return probe.check.kind === 'tcp'
    ? askTcp(port, timeoutMs, signal)
    : askHttp(port, probe.check.path, timeoutMs, signal);
}

function askTcp(port: number, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: loopback });
    const done = (answer: string | undefined) => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = () => done('stopped');
    signal.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(timeoutMs, () => done(`port ${port} did not answer in time.`));
    socket.once('connect', () => done(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(`port ${port}: ${error.code ?? error.message}.`),
    );
  });
}

/** 200 to 399 is success, as in Kubernetes. Redirects are not followed: what an app answers must not lead the platform anywhere. */
function askHttp(
  port: number,
  path: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = request({
      host: loopback,
      port,
      path,
      agent: false,
      headers: { 'user-agent': 'haic-probe' },
    });
    const timer = setTimeout(() => done(`${path} did not answer in time.`), timeoutMs);
    const done = (answer: string | undefined) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      outgoing.destroy();
      resolve(answer);
    };
    const onAbort = () => done('stopped');
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.once('response', (response) => {
      const status = response.statusCode ?? 0;
      // The body is not read at all: its size is the app's choice.
      done(status >= 200 && status < 400 ? undefined : `${path} answered ${status}.`);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => done(`${path}: ${error.code ?? error.message}.`));
    outgoing.end();
  });
}
