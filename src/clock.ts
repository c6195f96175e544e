/**
 * The server's clock. What is compared across servers (expiry, limits) is read from the database's clock instead, by its
 * function `byond_now()`; tests move both together.
 */
export interface Clock {
  /** The time of day. */
  now(): Date;
  /** Milliseconds that never jump, from an arbitrary start. For measuring how long something took or may last. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
};
