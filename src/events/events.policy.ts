/** The channel that is notified when events got positions. The payload is the last position. */
export const eventChannel = "byond_event";

/** Events that get positions at once. The statement takes some ten milliseconds for as many. */
export const numberingBatchSize = 1_000;

/**
 * Pause after a numbering before the next one. Under load, events share the call: it takes 0.2 ms of PostgreSQL's time, and each event
 * in it 0.02 ms.
 */
export const numberingPauseMs = 20;

/** How often a server looks for events that nobody numbered, because the server that wrote them has crashed. */
export const fallbackIntervalMs = 1_000;

/**
 * How long a number has to be known before lower ones are no longer looked for each time: longer than any transaction of a server.
 * Once in this time all of them are looked for.
 */
export const settlingMs = 60_000;
