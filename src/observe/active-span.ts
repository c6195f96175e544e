import { AsyncLocalStorage } from "node:async_hooks";
import type { Awaitable } from "../awaitable.ts";

/** Values of attributes. None may be a secret, a code, a recipient, or text that a client sent. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a span is to those around it: our own work, a call to another program, or a message that is taken off a queue. */
export type SpanKind = "internal" | "client" | "consumer";

/**
 * A span that is open, such as that of a request. Nothing here refers to the SDK of OpenTelemetry, which is loaded only by servers that
 * send traces: without them there is never an active span, and asking for it is all that a call pays.
 */
export interface OpenSpan {
  readonly traceId: string;
  /** Names this span to whatever continues its trace: the header `traceparent` of W3C Trace Context. */
  readonly traceParent: string;
  /** Begins a span below this one. Undefined: it would not be sent, because the trace is not sampled, is over, or has had enough of them. */
  begin(name: string, kind: SpanKind, attributes: SpanAttributes): OpenSpan | undefined;
  set(attributes: SpanAttributes): void;
  rename(name: string): void;
  /** The work has failed. `errorType` is one of few words. */
  fail(errorType: string): void;
  end(): void;
}

const spans = new AsyncLocalStorage<OpenSpan | undefined>();

/** The span that the current work belongs to. */
export function activeSpan(): OpenSpan | undefined {
  return spans.getStore();
}

/** Runs work that belongs to a span. */
export function runInSpan<T>(span: OpenSpan, work: () => T): T {
  return spans.run(span, work);
}

/** Runs work that outlasts the call that begins it. */
export function withoutSpan<T>(work: () => T): T {
  return spans.getStore() === undefined ? work() : spans.run(undefined, work);
}

/** What a part of the work is called. */
export interface SpanDescription {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: SpanAttributes;
  /** In one of few words, what has failed. Undefined: an error that is expected. Default: the name of the error. */
  readonly errorType?: (error: unknown) => string | undefined;
}

/** Runs work as a span below the active one, until it settles. Just runs it where there is none. */
export function inSpan<T>(description: SpanDescription, work: () => Awaitable<T>): Awaitable<T> {
  const span = spans.getStore()?.begin(description.name, description.kind, description.attributes ?? {});
  if (span === undefined) {
    return work();
  }
  const failed = (error: unknown): never => {
    const errorType = (description.errorType ?? nameOfError)(error);
    if (errorType !== undefined) {
      span.fail(errorType);
    }
    span.end();
    throw error;
  };
  const succeeded = (result: T): T => {
    span.end();
    return result;
  };
  try {
    const result = spans.run(span, work);
    return result instanceof Promise ? result.then(succeeded, failed) : succeeded(result);
  } catch (error) {
    return failed(error);
  }
}

function nameOfError(error: unknown): string {
  return error instanceof Error ? error.name : "_OTHER";
}
