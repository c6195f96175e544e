/** The SDK of OpenTelemetry. Only `start-tracing.ts` imports this file. */
import {
  type Attributes,
  type Context,
  type DiagLogger,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  SpanKind as SdkSpanKind,
  type Span,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { type ExportResult, ExportResultCode, parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { OpenSpan, SpanAttributes, SpanKind } from "./active-span.ts";
import { CollectorAnswers } from "./collector-answers.ts";
import type { Logger } from "./log.ts";
import type { FirstSpan, TracedServer, Tracing } from "./tracing.ts";
import type { TracingSettings } from "./tracing-settings.ts";

/** Spans of a trace that one request or message may have here: a stream may run statements for hours. */
const maxSpansOfTrace = 128;
/** How often the log says that spans were lost. */
const reportIntervalMs = 60_000;
/** How long a stop waits for the collector. */
const maxCloseMs = 2_000;

const kinds = {
  internal: SdkSpanKind.INTERNAL,
  client: SdkSpanKind.CLIENT,
  consumer: SdkSpanKind.CONSUMER,
  server: SdkSpanKind.SERVER,
} as const;

/**
 * Makes spans with the SDK, and sends them in batches. Nothing but `sdkLog` is registered globally, and no module is patched. What
 * waits for the collector is bounded; beyond that, spans are dropped, and the log says so now and then.
 */
export function openTelemetry(settings: TracingSettings, server: TracedServer, logger: Logger): Tracing {
  diag.setLogger(sdkLog, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const answers = new CollectorAnswers(settings);
  const exporter = new ReportingExporter(exporterOf(settings, answers), answers, logger);
  const { delayMs, maxQueueSize, maxBatchSize } = settings.batch;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      "service.version": server.version,
      "service.instance.id": server.serverId,
      ...settings.resourceAttributes,
    }),
    sampler: samplerOf(settings.sampler),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: delayMs,
        maxQueueSize,
        maxExportBatchSize: maxBatchSize,
        exportTimeoutMillis: settings.timeoutMs + 1_000,
      }),
    ],
  });
  const tracer = provider.getTracer("byond", server.version);
  return {
    begin({ name, kind, traceParent, attributes }: FirstSpan): OpenSpan {
      const isContinued = kind === "consumer" || settings.continuesTraces;
      const parent = isContinued && traceParent !== undefined ? parentOf(traceParent) : undefined;
      const span = tracer.startSpan(
        name,
        {
          kind: kinds[kind],
          attributes: given(attributes),
          ...(kind === "consumer" && parent !== undefined ? { links: [{ context: parent }] } : {}),
        },
        parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
      );
      return new SdkSpan(tracer, span, { left: maxSpansOfTrace, isOver: false }, true);
    },
    async close(withinMs) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, Math.min(withinMs, maxCloseMs));
      // The provider gives up at the first batch that is refused: others may be under way.
      await Promise.race([provider.shutdown().catch(() => exporter.shutdown()), late.promise]);
      clearTimeout(timer);
      exporter.giveUp();
      answers.close();
    },
  };
}

/** What the spans of one request or message share. */
interface SpansOfTrace {
  left: number;
  /** Whether the first of them has ended. What goes on then does not belong to it. */
  isOver: boolean;
}

class SdkSpan implements OpenSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;
  readonly #all: SpansOfTrace;
  readonly #isFirst: boolean;
  readonly #context: SpanContext;
  #below: Context | undefined;

  constructor(tracer: Tracer, span: Span, all: SpansOfTrace, isFirst: boolean) {
    this.#tracer = tracer;
    this.#span = span;
    this.#all = all;
    this.#isFirst = isFirst;
    this.#context = span.spanContext();
  }

  get traceId(): string {
    return this.#context.traceId;
  }

  get traceParent(): string {
    const { traceId, spanId, traceFlags } = this.#context;
    return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
  }

  begin(name: string, kind: SpanKind, attributes: SpanAttributes): OpenSpan | undefined {
    if (!this.#span.isRecording() || this.#all.isOver) {
      return undefined;
    }
    this.#all.left -= 1;
    if (this.#all.left < 0) {
      return undefined;
    }
    this.#below ??= trace.setSpan(ROOT_CONTEXT, this.#span);
    const options = { kind: kinds[kind], attributes: given(attributes) };
    return new SdkSpan(this.#tracer, this.#tracer.startSpan(name, options, this.#below), this.#all, false);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(given(attributes));
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  fail(errorType: string): void {
    this.#span.setAttribute("error.type", errorType);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.#isFirst) {
      this.#all.isOver = true;
      if (this.#all.left < 0) {
        this.#span.setAttribute("byond.spans.left_out", -this.#all.left);
      }
    }
    this.#span.end();
  }
}

/** The attributes that have a value. */
function given(attributes: SpanAttributes): Attributes {
  return attributes;
}

function parentOf(traceParent: string): SpanContext | undefined {
  const parent = parseTraceParent(traceParent);
  return parent === null ? undefined : { ...parent, isRemote: true };
}

function samplerOf({ name, isParentBased, ratio }: TracingSettings["sampler"]): Sampler {
  const root =
    name === "traceidratio"
      ? new TraceIdRatioBasedSampler(ratio)
      : name === "always_off"
        ? new AlwaysOffSampler()
        : new AlwaysOnSampler();
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function exporterOf(
  { url, protocol, headers, timeoutMs, compression }: TracingSettings,
  { agent }: CollectorAnswers,
): SpanExporter {
  const Exporter = protocol === "http/json" ? JsonExporter : ProtobufExporter;
  return new Exporter({
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    compression: compression === "gzip" ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    httpAgentOptions: () => agent,
  });
}

/** How many spans the collector took with an exception: of the batch whose result comes next. */
let rejectedSpans = 0;

/** What the SDK says of itself. Of it, only that a collector refused a part of a batch: the result of that batch is a success. */
const sdkLog: DiagLogger = {
  error: () => undefined,
  warn(message, partialSuccess) {
    if (message.startsWith("Received Partial Success") && typeof partialSuccess === "string") {
      // In JSON it is an int64, as text.
      rejectedSpans = Number(JSON.parse(partialSuccess).rejectedSpans ?? 0);
    }
  },
  info: () => undefined,
  debug: () => undefined,
  verbose: () => undefined,
};

/** Says in the log that spans were not sent: once a minute at most, and at the stop. */
class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #answers: CollectorAnswers;
  readonly #logger: Logger;
  /** Spans that the collector has neither taken nor refused yet. */
  #waiting = 0;
  #lost = 0;
  #reason = "";
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(exporter: SpanExporter, answers: CollectorAnswers, logger: Logger) {
    this.#exporter = exporter;
    this.#answers = answers;
    this.#logger = logger;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#waiting += spans.length;
    this.#exporter.export(spans, (result) => {
      this.#waiting -= spans.length;
      if (result.code === ExportResultCode.FAILED) {
        this.#lose(spans.length, this.#answers.last);
      } else if (rejectedSpans > 0) {
        this.#lose(rejectedSpans, "rejected");
      }
      rejectedSpans = 0;
      if (this.#lost > 0 && performance.now() - this.#reportedAtMs >= reportIntervalMs) {
        this.#report();
      }
      done(result);
    });
  }

  /** Resolves when the collector has taken or refused all spans. */
  async shutdown(): Promise<void> {
    await this.#exporter.shutdown();
  }

  /** Nobody waits for the collector any more. */
  giveUp(): void {
    if (this.#waiting > 0) {
      this.#lose(this.#waiting, this.#answers.last);
    }
    if (this.#lost > 0) {
      this.#report();
    }
  }

  #lose(spans: number, reason: string): void {
    this.#lost += spans;
    this.#reason = reason;
  }

  #report(): void {
    this.#logger.warn("traces_not_sent", { spans: this.#lost, reason: this.#reason });
    this.#reportedAtMs = performance.now();
    this.#lost = 0;
  }
}
