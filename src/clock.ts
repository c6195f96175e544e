/**
 * The server's clock. Times that servers compare (expiry, limits) come from the database's clock instead, `byond_now()`. Tests
 * move both together.
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
