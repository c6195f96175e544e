import type { DescMethod } from "@bufbuild/protobuf";
import { createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { whileClientWaits } from "../database/call-deadline.ts";
import { AppError, deadlineExceeded } from "../errors.ts";
import { rawBodyKey } from "../server/raw-body.ts";

const connectTimeout = /^\d{1,10}$/;
const grpcTimeout = /^(\d{1,8})([HMSmun])$/;

/** Node lets a timer of more pass at once. */
const maxTimerMs = 2_147_483_647;

/** Of gRPC's units (gRPC over HTTP/2, "TimeoutUnit"), those that eight digits can take so far. */
const unitsInMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000 };

/** Removes a deadline that is further away than a timer can wait, 24.8 days: it is as good as none. */
export function removeEndlessDeadline(header: Headers): void {
  const grpcTimeout = header.get("grpc-timeout");
  if (grpcTimeout !== null) {
    const [, digits, unit = ""] = /^(\d{1,8})([HMS])$/.exec(grpcTimeout) ?? [];
    if (Number(digits) * (unitsInMs[unit] ?? 0) > maxTimerMs) {
      header.delete("grpc-timeout");
    }
  }
  const connectTimeout = header.get("connect-timeout-ms");
  if (connectTimeout !== null && /^\d{10}$/.test(connectTimeout) && Number(connectTimeout) > maxTimerMs) {
    header.delete("connect-timeout-ms");
  }
}

const grpcUnitsInMs: Readonly<Record<string, number>> = { ...unitsInMs, m: 1, u: 1e-3, n: 1e-6 };

/** How long the client of a unary call waits, in milliseconds. Undefined: it does not say, or not so that it can be read. */
export function readTimeout(protocolName: string, header: Headers): number | undefined {
  if (protocolName === "connect") {
    const timeout = header.get("connect-timeout-ms");
    return timeout !== null && connectTimeout.test(timeout) ? Number(timeout) : undefined;
  }
  const timeout = header.get("grpc-timeout");
  const [, digits, unit = ""] = (timeout !== null && grpcTimeout.exec(timeout)) || [];
  return digits === undefined ? undefined : Number(digits) * (grpcUnitsInMs[unit] ?? 0);
}

/** Throws `invalid_request` for a deadline that cannot be read. */
export function requireReadableDeadline({ protocolName, requestHeader }: HandlerContext): void {
  if (protocolName === "connect") {
    const timeout = requestHeader.get("connect-timeout-ms");
    if (timeout !== null && !connectTimeout.test(timeout)) {
      throw new AppError("invalid_request", "The header Connect-Timeout-Ms must be a number of up to ten digits.");
    }
    return;
  }
  const timeout = requestHeader.get("grpc-timeout");
  if (timeout !== null && !grpcTimeout.test(timeout)) {
    throw new AppError(
      "invalid_request",
      "The header grpc-timeout must be up to eight digits and a unit: H, M, S, m, u or n.",
    );
  }
}

/** Until when the client of a call waits, by `performance.now()`. */
const clientWaitsUntilMsKey = createContextKey<number | undefined>(undefined, { description: "client waits until" });

/** Notes how long the client of a call waits: interceptors are not told. What it has not sent by then is not waited for. */
export function noteDeadline({ method, timeoutMs, values }: HandlerContext): void {
  const leftMs = timeoutMs();
  if (leftMs === undefined) {
    return;
  }
  const untilMs = performance.now() + leftMs;
  values.set(clientWaitsUntilMsKey, untilMs);
  // A stream that goes both ways ends by its signal.
  if (method.methodKind !== "bidi_streaming") {
    values.get(rawBodyKey)?.waitUntil(untilMs);
  }
}

/**
 * Keeps to the deadlines of single calls. Throws `unavailable` for one that is over before the call begins, and, where
 * `endsAtDeadline` says that the RPC commits once, for what it has not begun by then. Streams end by their signal.
 */
export function createDeadlineInterceptor(endsAtDeadline: (method: DescMethod) => boolean): Interceptor {
  return (next) => (request) => {
    const untilMs = request.contextValues.get(clientWaitsUntilMsKey);
    if (request.stream || untilMs === undefined) {
      return next(request);
    }
    if (performance.now() >= untilMs) {
      throw deadlineExceeded();
    }
    return endsAtDeadline(request.method) ? whileClientWaits(untilMs, () => next(request)) : next(request);
  };
}
