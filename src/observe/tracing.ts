import { activeSpan, type OpenSpan, type SpanAttributes } from "./active-span.ts";
import type { LogFields, Logger } from "./log.ts";

/** Makes traces, and sends them to a collector. */
export interface Tracing {
  /** Begins the first span that this server has of a trace. */
  begin(span: FirstSpan): OpenSpan;
  /** Sends what is left, for `withinMs` at most. Never rejects. */
  close(withinMs: number): Promise<void>;
}

export interface FirstSpan {
  readonly name: string;
  /** `server`: a request has come. `consumer`: a message is taken off a queue. */
  readonly kind: "server" | "consumer";
  /** The span that it is below: see `OpenSpan.traceParent`. A message is linked to it, too. One that is malformed counts as none. */
  readonly traceParent: string | undefined;
  readonly attributes: SpanAttributes;
}

/** The server whose spans they are. */
export interface TracedServer {
  readonly version: string;
  /** Names this process among the servers. */
  readonly serverId: string;
}

/** The same logger, for servers that send traces: lines that are written for a call name its trace. */
export function withTraceIds(untraced: Logger): Logger {
  const line =
    (level: "info" | "warn" | "error") =>
    (event: string, fields?: LogFields): void => {
      const traceId = activeSpan()?.traceId;
      untraced[level](event, traceId === undefined ? fields : { ...fields, trace_id: traceId });
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}
