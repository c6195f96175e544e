import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type Config, parseConfig } from "../../src/app.ts";

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** As OTLP numbers them: 1 internal, 2 server, 3 client, 5 consumer. */
  readonly kind: number;
  /** 2: an error. */
  readonly status: number | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** The attributes of the server that sent it. */
  readonly server: Readonly<Record<string, unknown>>;
}

/** One that a client may send, as in W3C Trace Context. */
export const traceParentOf = (traceId: string, isSampled = true) =>
  `00-${traceId}-00f067aa0ba902b7-0${Number(isSampled)}`;

/** A collector of OpenTelemetry: what it is sent, over OTLP with JSON. */
export class TraceCollector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** The bodies, as they came. */
  readonly bodies: Buffer[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  /** Those that it was sent and did not take. */
  readonly refused: CollectedSpan[] = [];
  /** What it answers. Undefined: nothing. */
  status: number | undefined = 200;
  /** The body of its answers. */
  answer: string | Buffer = "{}";
  readonly #waiting = new Set<() => void>();
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      this.headers.push({ ...request.headers, ":path": request.url });
      this.bodies.push(body);
      if (request.headers["content-type"] === "application/json") {
        (this.status === 200 ? this.spans : this.refused).push(...spansOf(JSON.parse(body.toString())));
      }
      for (const wake of this.#waiting) {
        wake();
      }
      if (this.status !== undefined) {
        response.writeHead(this.status, { "Content-Type": "application/json" }).end(this.answer);
      }
    });
  });

  static async open(): Promise<TraceCollector> {
    const collector = new TraceCollector();
    await new Promise<void>((resolve) => collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What makes a server send its spans here at once. */
  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "1",
      ...more,
    };
  }

  /** The same, for a server in this process. */
  settings(more: Readonly<Record<string, string>> = {}): Pick<Config, "tracing"> {
    const { tracing } = parseConfig(this.environment(more));
    return { tracing };
  }

  /** Waits until `find` finds something among the spans, and returns it. It is asked whenever something was sent. */
  async wait<T>(find: (spans: readonly CollectedSpan[]) => T | undefined): Promise<T> {
    for (;;) {
      const next = new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
      const found = find(this.spans);
      if (found !== undefined) {
        return found;
      }
      await next;
    }
  }

  /** Waits for a span of a trace. */
  span(traceId: string, name: string | RegExp): Promise<CollectedSpan> {
    return this.wait((spans) =>
      spans.find(
        (span) => span.traceId === traceId && (typeof name === "string" ? span.name === name : name.test(span.name)),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads JSON of which it says itself what it expects
type Json = any;

function spansOf(request: Json): CollectedSpan[] {
  return request.resourceSpans.flatMap(({ resource, scopeSpans }: Json) =>
    scopeSpans.flatMap(({ spans }: Json) =>
      spans.map((span: Json) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        kind: span.kind,
        status: span.status?.code,
        attributes: attributesOf(span.attributes),
        links: (span.links ?? []).map(({ traceId, spanId }: Json) => ({ traceId, spanId })),
        server: attributesOf(resource.attributes),
      })),
    ),
  );
}

function attributesOf(attributes: Json[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
