/** The numbers in the rules of webhooks. `test/capabilities/policy.test.ts` compares the schema with them. */

/** Endpoints of a workspace in one mode. */
export const maxEndpoints = 20;

export const maxDescriptionLength = 200;

export const graceSeconds = { min: 0, max: 86_400, default: 0 } as const;

export const pageSize = { min: 1, max: 100, default: 20 } as const;

/** Secrets that sign at once. Beyond that, the earliest ends before its grace is over: receivers need not look at more. */
export const maxSecrets = 5;

const minute = 60_000;
const hour = 60 * minute;

/** Pauses before the second attempt, the third, and so on: ten attempts in 76 hours. */
export const retryAfterMs = [
  5_000,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
] as const;

/** By how much of itself a pause is longer at random, at most. */
export const retryJitter = 0.1;

/** A message of the outbox outlives its attempts, each of which can wait for a server to come back. */
export const deliveryExpiryDays = 5;

/** An endpoint is disabled that has failed for so long. */
export const failingDays = 5;

/** Failures that are further apart do not belong together: there was nothing to send meanwhile. */
export const failureGapHours = 36;

/** How long deliveries are listed. */
export const deliveryRetentionDays = 30;

/** Deliveries that one server sends at once: to one endpoint, and to all of them. */
export const places = { placesEach: 4, places: 256 } as const;

/** The kind of messages in the outbox, and the group of their lanes: one for each endpoint. */
export const deliveryKind = "webhook";
export const laneGroup = "webhook";

/** The kind of messages that tell the owner of a workspace that an endpoint was disabled. */
export const disabledMailKind = "webhook_disabled";

/** Such messages of a workspace: deleting, creating and enabling endpoints in turns fills no mailbox. The event is written in any case. */
export const disabledMailLimit = { burst: 10, periodSeconds: 8_640 } as const;
