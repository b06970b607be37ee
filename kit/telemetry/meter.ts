import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { haicVersion } from '../version.ts';

/** What a process counts and measures, in Prometheus' text format. Only where somebody asks: nothing is counted on a laptop. */
export interface Meter {
  /** An answer that ends with the response. Classes are few and named in code; nothing of a request's is ever a label. */
  answer(trafficClass: string, response: ServerResponse): void;
  /** For who measures by itself. */
  answered(trafficClass: string, status: number, seconds: number): void;
  /** A connection that was upgraded and stays open. */
  connection(trafficClass: string, socket: Duplex): void;
  /** Asked whenever somebody reads the metrics. What fails or takes longer than a moment is left out then. */
  gauge(gauge: Gauge): void;
  readonly contentType: string;
  render(): Promise<string>;
}

export interface Gauge {
  /** Begins with `haic_`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: () => Promise<readonly Sample[]> | readonly Sample[];
}

export interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const patienceMs = 2_000;
/** From what a page costs to what a person gives up on. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Loads the library only now: a process without metrics does not pay for it. */
export async function createMeter(service: string): Promise<Meter> {
  const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = (await import('prom-client'))
    .default;
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'haic_build_info', help: 'Version of Haic.', labelNames: ['version'], registers }).set(
    { version: haicVersion },
    1,
  );
  const duration = new Histogram({
    name: 'haic_request_duration_seconds',
    help: 'Time from a request to the end of its answer. Event streams are a class of their own.',
    labelNames: ['class', 'status'],
    buckets,
    registers,
  });
  const open = new Gauge({
    name: 'haic_open_connections',
    help: 'WebSockets that are open.',
    labelNames: ['class'],
    registers,
  });
  const opened = new Counter({
    name: 'haic_connections_total',
    help: 'WebSockets that were opened.',
    labelNames: ['class'],
    registers,
  });
  const answered: Meter['answered'] = (trafficClass, status, seconds) =>
    duration.labels(trafficClass, statusClass(status)).observe(seconds);
  return {
    answered,
    answer: (trafficClass, response) => {
      const began = performance.now();
      response.once('close', () =>
        answered(
          trafficClass,
          // Who went away before the answer was there: nginx has made this the usual number of it.
          response.writableFinished || response.headersSent ? response.statusCode : 499,
          (performance.now() - began) / 1000,
        ),
      );
    },
    connection: (trafficClass, socket) => {
      opened.labels(trafficClass).inc();
      open.labels(trafficClass).inc();
      socket.once('close', () => open.labels(trafficClass).dec());
    },
    gauge: ({ name, help, labels = [], read }) => {
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        async collect() {
          const samples = await withinPatience(read).catch(() => []);
          this.reset();
          // Without labels a reset gauge is 0, which would be a statement.
          if (labels.length === 0) this.remove();
          for (const sample of samples) this.set({ ...sample.labels }, sample.value);
        },
      });
    },
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}

const statusClass = (status: number): string => (status === 499 ? '499' : `${Math.floor(status / 100)}xx`);

async function withinPatience<T>(read: () => Promise<T> | T): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('took too long')), patienceMs);
  try {
    return await Promise.race([read(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
