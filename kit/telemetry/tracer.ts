import type { Context, Span as OtelSpan } from '@opentelemetry/api';
import { haicVersion } from '../version.ts';

/** Where the time of a request went, told to a collector by OTLP. Only where one is configured. */
export interface Tracer {
  /** A request that has come, a new trace or a part of the one whose `parent` was sent with it. */
  begin(name: string, parent?: string): Span;
  /** Sends what has not been sent. */
  stop(): Promise<void>;
}

export interface Span {
  /** W3C Trace Context, for the next process. */
  readonly traceparent: string;
  child(name: string): Span;
  set(attributes: Readonly<Record<string, string | number>>): void;
  failed(): void;
  end(): void;
}

/**
 * Between Haic's own processes. Not `traceparent`, which anybody may send: strangers neither join our traces nor decide what is recorded, and what an
 * app and its browser tell each other passes as it is.
 */
export const traceHeader = 'x-haic-traceparent';

export interface TracerOptions {
  /** `router`, `core`, … */
  readonly service: string;
  /** Of a collector, without `/v1/traces`. */
  readonly endpoint: string;
  /** Of a thousand new traces; the rest is not recorded anywhere. */
  readonly sampledPerMille: number;
}

/** Loads the libraries only now: a process without traces does not pay for them. */
export async function createTracer(options: TracerOptions): Promise<Tracer> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const url = `${options.endpoint.replace(/\/$/, '')}/v1/traces`;
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.namespace': 'haic',
      'service.name': options.service,
      'service.version': haicVersion,
    }),
    sampler: new sdk.ParentBasedSampler({
      root: new sdk.TraceIdRatioBasedSampler(options.sampledPerMille / 1000),
    }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })],
  });
  const tracer = provider.getTracer('haic');
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;

  const spanOf = (span: OtelSpan, context: Context): Span => ({
    get traceparent() {
      const { traceId, spanId, traceFlags } = span.spanContext();
      return `00-${traceId}-${spanId}-0${traceFlags & 1}`;
    },
    child: (name) => {
      const within = trace.setSpan(context, span);
      return spanOf(tracer.startSpan(name, { kind: SpanKind.INTERNAL }, within), within);
    },
    set: (attributes) => void span.setAttributes({ ...attributes }),
    failed: () => void span.setStatus({ code: SpanStatusCode.ERROR }),
    end: () => span.end(),
  });

  return {
    begin: (name, parent) => {
      const context = parentContext(parent, (spanContext) =>
        trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, isRemote: true }),
      );
      return spanOf(
        tracer.startSpan(name, { kind: SpanKind.SERVER }, context ?? ROOT_CONTEXT),
        context ?? ROOT_CONTEXT,
      );
    },
    stop: () => provider.shutdown().catch(() => {}),
  };
}

function parentContext<T>(
  header: string | undefined,
  make: (context: { traceId: string; spanId: string; traceFlags: number }) => T,
): T | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$/.exec(header ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId))
    return undefined;
  return make({ traceId, spanId, traceFlags: Number(flags) });
}
