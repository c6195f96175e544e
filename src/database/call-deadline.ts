import { AsyncLocalStorage } from "node:async_hooks";
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
  return call !== undefined && performance.now() - call.startedAtMs > callLimits.beginMs;
}

/** Throws `unavailable` if it is too late to begin anything for the call. */
export function requireTime(): void {
  if (isTooLate()) {
    throw tookTooLong();
  }
}

export function tookTooLong(): Error {
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
