/** Runs callbacks later. Tests use timers that follow a clock of theirs. */
export interface Timers {
  /** Runs `callback` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The process's timers. */
export const systemTimers: Timers = {
  after(delayMs, callback) {
    const timeout = setTimeout(callback, delayMs);
    return () => clearTimeout(timeout);
  },
};
