/** The numbers of delivery, each once. How many messages of a lane may be sent at once is the channels' to say. */

/** How long a claim lasts unless it is renewed. After a crash, other servers take the messages over when it has expired. */
export const claimMs = 10_000;

/** How often the claims of attempts that are being made are renewed. */
export const renewalIntervalMs = claimMs / 3;

/** What waits in a lane is dropped when its claim has less than this left: the attempt might outlast the claim. */
export const minClaimLeftMs = claimMs / 2;

/** The channel that is notified when messages were written that no server has claimed: every server looks for them at once. */
export const outboxChannel = "byond_outbox";

/** How often a server looks for due messages; a quarter more or less, so that servers do not look together. */
export const pollIntervalMs = 1_000;

/** How often messages that expired unsent are given up. */
export const expiryIntervalMs = 5_000;

/** Messages that are given up at once. */
export const expiryBatchSize = 500;

/** How long one attempt may take; never longer than until the message expires. */
export const attemptTimeoutMs = 30_000;

/** No attempt begins that would have less than this: aborted on its way, it would count as one that may have been sent. */
export const minAttemptMs = 100;

/** Messages that may wait in one lane of a server. */
export const maxQueuedItems = 1_000;

/** How long a lane of a group is remembered that has failed and has no messages any more. */
export const laneMemoryMs = 600_000;

/** Pause before a failed attempt is repeated: doubles from the first to the longest. */
export const backoff = { firstMs: 1_000, longestMs: 10_000 } as const;

/** Sent messages that are recorded at once. */
export const recordingBatchSize = 100;

/** Batches of sent messages that are being recorded at once. */
export const maxRecordingBatches = 3;

/** Pause before recording an attempt is tried again: doubles from the first to the longest. */
export const recordingBackoff = { firstMs: 100, longestMs: 2_000 } as const;

/** When a provider is left alone, and for how long. */
export const circuitLimits = {
  /** Failures in a row that pause a lane. */
  failures: 5,
  /** The first pause; it doubles with every failed trial, to the longest. */
  firstPauseMs: 1_000,
  longestPauseMs: 5_000,
  /** The longest pause that a provider can ask for. */
  longestRequestedPauseMs: 60_000,
} as const;
