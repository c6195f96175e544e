import { AsyncLocalStorage } from "node:async_hooks";
import { deadlineExceeded } from "../errors.ts";
import { unavailable } from "./database-errors.ts";

/**
 * How long the server may keep a call waiting in all. However many statements the call runs, and however often it repeats them, it
 * gets its answer within `endMs`, if need be a 503; three seconds later if the connection to the database was lost. No statement
 * begins after `beginMs`. One that begins before may wait 5 s for a connection, and for its answer until `endMs`, which is longer
 * than PostgreSQL lets it wait for a lock.
 */
export const callLimits = { beginMs: 10_000, endMs: 15_000 };

interface Call {
  startedAtMs: number;
  /** Nobody needs its result any more. */
  readonly signal: AbortSignal | undefined;
  /** No statement of the call begins after that. */
  clientWaitsUntilMs?: number;
  /** Work that the call started and did not wait for, such as sending a message, has no deadline then. */
  isOver: boolean;
}

const calls = new AsyncLocalStorage<Call | undefined>();

/** Runs a call: its statements share one deadline, until it settles. When `signal` aborts, it is as if that had passed. */
export async function withDeadline<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const call: Call = { startedAtMs: performance.now(), signal, isOver: false };
  try {
    return await calls.run(call, work);
  } finally {
    call.isOver = true;
  }
}

/**
 * Runs a call whose client waits until `untilMs` (of `performance.now()`). No statement begins after that, and a transaction that is
 * not committed by then is rolled back and throws. A single statement that was sent is waited for, and its outcome is the answer; see also `outlastClient`.
 * `work` must commit at most once.
 */
export async function whileClientWaits<T>(untilMs: number, work: () => Promise<T>): Promise<T> {
  const call = currentCall();
  if (call === undefined) {
    return work();
  }
  call.clientWaitsUntilMs = untilMs;
  try {
    return await work();
  } finally {
    delete call.clientWaitsUntilMs;
  }
}

/**
 * From now on the current call goes on, and is answered, although its client may wait no longer: it begins what cannot be undone outside the database,
 * such as asking a paid source. What the server allows a call still holds. Throws if it is too late to begin.
 */
export function outlastClient(): void {
  requireTime();
  const call = currentCall();
  if (call !== undefined) {
    delete call.clientWaitsUntilMs;
  }
}

/** Runs `work` without the deadline of the call: work that other calls depend on too, or that follows a committed effect. */
export function withoutDeadline<T>(work: () => T): T {
  return calls.run(undefined, work);
}

function currentCall(): Call | undefined {
  const call = calls.getStore();
  return call === undefined || call.isOver ? undefined : call;
}

/** Extends the deadline by the time that the call spent waiting for its client. */
export function addTimeOfClient(ms: number): void {
  const call = currentCall();
  if (call !== undefined) {
    call.startedAtMs += ms;
  }
}

/** How long the statements of the current call may still run. Undefined: there is no deadline. */
export function timeLeftMs(): number | undefined {
  const call = currentCall();
  return call === undefined ? undefined : Math.max(1, call.startedAtMs + callLimits.endMs - performance.now());
}

/** Whether it is too late to begin a statement for the current call. */
export function isTooLate(): boolean {
  const call = currentCall();
  return (
    call !== undefined &&
    (call.signal?.aborted === true || performance.now() - call.startedAtMs > callLimits.beginMs || isGivenUp(call))
  );
}

/** Whether the client has stopped waiting. */
function isGivenUp({ clientWaitsUntilMs }: Call): boolean {
  return clientWaitsUntilMs !== undefined && performance.now() >= clientWaitsUntilMs;
}

/** Throws if it is too late to begin a statement for the current call: see `tookTooLong`. */
export function requireTime(): void {
  if (isTooLate()) {
    throw tookTooLong();
  }
}

/** `deadline_exceeded` if the client has stopped waiting, otherwise `unavailable`. */
export function tookTooLong(): Error {
  const call = currentCall();
  if (call !== undefined && isGivenUp(call)) {
    return deadlineExceeded();
  }
  return unavailable(new Error("the call has waited for as long as a call may"));
}

/**
 * Settles as `work` does, or throws when the deadline of the current call has passed, or its client waits no longer. Without a deadline, it waits
 * for as long as a call may. For work without effects.
 */
export async function withinTime<T>(work: Promise<T>): Promise<T> {
  const { signal, clientWaitsUntilMs = Number.POSITIVE_INFINITY } = currentCall() ?? {};
  const late = Promise.withResolvers<never>();
  const end = () => late.reject(tookTooLong());
  // A timer may end a part of a millisecond early.
  const clientWaitsMs = Math.max(0, clientWaitsUntilMs - performance.now()) + 1;
  const timer = setTimeout(end, Math.min(timeLeftMs() ?? callLimits.endMs, clientWaitsMs));
  signal?.addEventListener("abort", end);
  if (signal?.aborted === true) {
    end();
  }
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}
