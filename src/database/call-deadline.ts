import { AsyncLocalStorage } from "node:async_hooks";
import { deadlineExceeded } from "../errors.ts";
import { unavailable } from "./database-errors.ts";

/**
 * How long a call may be kept waiting by us, in all: however many statements it consists of and however often it is
 * repeated, a 503 is answered within `endMs`; three seconds later if the connection to the database was lost. Nothing is begun
 * after `beginMs`: what is begun before may wait 5 s for a connection and then find that it is too late, or for a statement until
 * `endMs`, which is longer than PostgreSQL lets it wait for a lock.
 */
export const callLimits = { beginMs: 10_000, endMs: 15_000 };

interface Call {
  startedAtMs: number;
  /** Nothing is begun for it after that. */
  clientWaitsUntilMs?: number;
  /** What it has begun and left to itself, such as sending a message, is not bound by it any more. */
  isOver: boolean;
}

const calls = new AsyncLocalStorage<Call | undefined>();

/** Runs a call: the statements in it share its deadline, until it settles. */
export async function withDeadline<T>(work: () => Promise<T>): Promise<T> {
  const call: Call = { startedAtMs: performance.now(), isOver: false };
  try {
    return await calls.run(call, work);
  } finally {
    call.isOver = true;
  }
}

/**
 * Runs a call whose client waits until a moment of `performance.now()`: nothing is begun after that, and what is not committed is
 * rolled back and throws `unavailable`. A single statement that was sent is waited for, and its outcome is the answer. `work` must
 * commit once at most.
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

/** Runs what is done on behalf of a call, but for others too, or when its effect has happened. */
export function withoutDeadline<T>(work: () => T): T {
  return calls.run(undefined, work);
}

function currentCall(): Call | undefined {
  const call = calls.getStore();
  return call === undefined || call.isOver ? undefined : call;
}

/** Time that the call spent waiting for its client is not ours. */
export function addTimeOfClient(ms: number): void {
  const call = currentCall();
  if (call !== undefined) {
    call.startedAtMs += ms;
  }
}

/** Until when, from now, what the call has begun may go on. Undefined: nobody waits for it. */
export function timeLeftMs(): number | undefined {
  const call = currentCall();
  return call === undefined ? undefined : Math.max(1, call.startedAtMs + callLimits.endMs - performance.now());
}

/** Whether it is too late to begin anything for the call. */
export function isTooLate(): boolean {
  const call = currentCall();
  return call !== undefined && (performance.now() - call.startedAtMs > callLimits.beginMs || isGivenUp(call));
}

/** Whether the client waits no longer. */
function isGivenUp({ clientWaitsUntilMs }: Call): boolean {
  return clientWaitsUntilMs !== undefined && performance.now() >= clientWaitsUntilMs;
}

/** Throws `unavailable` if it is too late to begin anything for the call. */
export function requireTime(): void {
  if (isTooLate()) {
    throw tookTooLong();
  }
}

export function tookTooLong(): Error {
  const call = currentCall();
  if (call !== undefined && isGivenUp(call)) {
    return deadlineExceeded();
  }
  return unavailable(new Error("the call has waited for as long as a call may"));
}

/** What `work` comes to, or `unavailable` when the call's time is over. For what has no effects and waits for others. */
export async function withinTime<T>(work: Promise<T>): Promise<T> {
  const leftMs = timeLeftMs();
  if (leftMs === undefined) {
    return work;
  }
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tookTooLong()), leftMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
