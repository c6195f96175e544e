import { ByondError } from "./errors.ts";
import type { Operation } from "./operation.ts";

/** Codes with which the server says that nothing was done. */
const refusals = new Set<string>(["unavailable", "rate_limited", "idempotency_in_progress"]);

/** Whether a call that failed may be sent again, and may then succeed. */
export function isWorthRetrying(
  error: unknown,
  { isRepeatable }: Pick<Operation, "isRepeatable">,
): error is ByondError {
  if (!(error instanceof ByondError)) {
    return false;
  }
  const { code, status = 0 } = error;
  const isFailure = code === "connection_failed" || code === "internal" || code === "outcome_unknown";
  return refusals.has(code) || (isRepeatable && (isFailure || (code === "invalid_response" && status >= 500)));
}

/** The pause before a repetition: what the server asked for, or half a second that doubles, up to 8 seconds. Less or more by chance. */
export function pauseMs(error: ByondError, retries: number): number {
  return error.retryAfter === undefined
    ? Math.min(500 * 2 ** retries, 8_000) * (0.5 + Math.random() / 2)
    : error.retryAfter * 1_000 + Math.random() * 250;
}

/** Timers that are set for longer than this end at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Resolves after a time. Rejects with the signal's reason if it is aborted before. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener("abort", abort);
        resolve();
      },
      Math.min(ms, longestTimerMs),
    );
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) {
      abort();
    }
  });
}

/** A time until which something must be done. Dispose of it with `clear`. */
export class Deadline {
  readonly #endsAtMs: number;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #stopFollowing: () => void;

  /** Aborts with a `ByondError` of the code `timed_out`, or with the reason of the caller's signal. */
  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#endsAtMs = performance.now() + timeoutMs;
    const timedOut = () =>
      this.#controller.abort(new ByondError(`The call took longer than ${timeoutMs} ms.`, { code: "timed_out" }));
    this.#timer = timeoutMs > longestTimerMs ? undefined : setTimeout(timedOut, timeoutMs);
    const follow = () => this.#controller.abort(signal?.reason);
    signal?.addEventListener("abort", follow, { once: true });
    this.#stopFollowing = () => signal?.removeEventListener("abort", follow);
    if (signal?.aborted === true) {
      follow();
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return this.#endsAtMs - performance.now();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#stopFollowing();
  }
}

/** Makes attempts until one succeeds, may not be repeated, or the next could not begin before the deadline. */
export async function withRetries<T>(
  operation: Pick<Operation, "isRepeatable">,
  maxRetries: number,
  deadline: Deadline,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      deadline.signal.throwIfAborted();
      return await attempt();
    } catch (error) {
      if (deadline.signal.aborted) {
        throw deadline.signal.reason;
      }
      if (retries >= maxRetries || !isWorthRetrying(error, operation)) {
        throw error;
      }
      const ms = pauseMs(error, retries);
      if (ms >= deadline.remainingMs) {
        throw error;
      }
      await sleep(ms, deadline.signal);
    }
  }
}
