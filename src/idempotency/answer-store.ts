import type { Database, Queryable } from "../database/database.ts";
import { array, bytea, integer, type Placeholders, statement, text } from "../database/statement.ts";
import type { Sweep } from "../database/sweeper.ts";
import { sweepOldest } from "../database/table-sweeps.ts";
import { keptHours, maxClaimAttempts } from "./idempotency.policy.ts";

/** Where the answer of a call is kept. */
export interface IdempotencySlot {
  readonly workspaceId: string;
  /** The mode of an API key; or the id of a session's user, with the mode that the call names. Each realm has idempotency keys of its own. */
  readonly realm: string;
  readonly key: string;
}

const kept = `interval '${keptHours} hours'`;

const slotParameters = { workspaceId: text, realm: text, key: text };

const isSlot = (p: Placeholders<typeof slotParameters>) =>
  `workspace_id = ${p.workspaceId} AND realm = ${p.realm} AND key = ${p.key}`;

/**
 * Claims the slot if it is free: if it is new, or older than `keptHours`, or if the claim of the same request expired without an
 * answer. Returns a row if it was claimed.
 */
const claim = statement<{ isClaimed: true }>("idempotency_claim")(
  { ...slotParameters, fingerprints: array(text), claimId: text, claimSeconds: integer },
  (p) => `
    INSERT INTO idempotency AS slot (workspace_id, realm, key, fingerprint, claim_id, claimed_until, created_at)
    SELECT ${p.workspaceId}, ${p.realm}, ${p.key}, (${p.fingerprints})[1], ${p.claimId},
      now + ${p.claimSeconds} * interval '1 second', now
    FROM (SELECT byond_now() AS now) AS clock
    ON CONFLICT (workspace_id, realm, key) DO UPDATE SET
      fingerprint = EXCLUDED.fingerprint,
      claim_id = EXCLUDED.claim_id,
      claimed_until = EXCLUDED.claimed_until,
      created_at = EXCLUDED.created_at,
      answer_sealed = NULL
    WHERE slot.created_at <= byond_now() - ${kept}
      OR (slot.answer_sealed IS NULL AND slot.claimed_until <= byond_now() AND slot.fingerprint = ANY (${p.fingerprints}))
    RETURNING true AS is_claimed`,
);

const read = statement<{ isSameRequest: boolean; answerSealed: Buffer | null }>("idempotency_read")(
  { ...slotParameters, fingerprints: array(text) },
  (p) => `
    SELECT fingerprint = ANY (${p.fingerprints}) AS is_same_request, answer_sealed
    FROM idempotency
    WHERE ${isSlot(p)} AND created_at > byond_now() - ${kept}`,
);

const complete = statement<{ isCompleted: true }>("idempotency_complete")(
  { ...slotParameters, claimId: text, answerSealed: bytea },
  (p) => `
    UPDATE idempotency SET answer_sealed = ${p.answerSealed}
    WHERE ${isSlot(p)} AND claim_id = ${p.claimId} AND answer_sealed IS NULL
    RETURNING true AS is_completed`,
);

const release = statement("idempotency_release")(
  { ...slotParameters, claimId: text },
  (p) => `
    DELETE FROM idempotency
    WHERE ${isSlot(p)} AND claim_id = ${p.claimId} AND answer_sealed IS NULL`,
);

/** The state of a slot that a call found. */
export type ClaimOutcome =
  | { readonly kind: "claimed" }
  /** Another call with this key is running, on this server or another one. */
  | { readonly kind: "in-progress" }
  /** The key was used for another request. */
  | { readonly kind: "other-request" }
  | { readonly kind: "answered"; readonly answerSealed: Buffer };

export interface ClaimRequest {
  readonly slot: IdempotencySlot;
  /** Fingerprints of the request, one for each master secret, the current one first. */
  readonly fingerprints: readonly string[];
  readonly claimId: string;
  /** How long the claim lasts. Then a call with the same request may take it over, if there is no answer. */
  readonly claimSeconds: number;
}

/** Claims a slot, or returns what is in it. */
export async function claimSlot(database: Queryable, request: ClaimRequest): Promise<ClaimOutcome> {
  const { slot, fingerprints, claimId, claimSeconds } = request;
  for (let attempt = 0; attempt < maxClaimAttempts; attempt += 1) {
    const claimed = await database.run(claim, { ...slot, fingerprints, claimId, claimSeconds });
    if (claimed.length > 0) {
      return { kind: "claimed" };
    }
    const [found] = await database.run(read, { ...slot, fingerprints });
    if (found !== undefined) {
      if (!found.isSameRequest) {
        return { kind: "other-request" };
      }
      return found.answerSealed === null
        ? { kind: "in-progress" }
        : { kind: "answered", answerSealed: found.answerSealed };
    }
  }
  return { kind: "in-progress" };
}

/** Stores the answer of a claimed slot. Returns false if the claim was taken over, or has an answer already. */
export async function completeSlot(
  database: Queryable,
  slot: IdempotencySlot,
  claimId: string,
  answerSealed: Buffer,
): Promise<boolean> {
  return (await database.run(complete, { ...slot, claimId, answerSealed })).length > 0;
}

/** Releases a claim without an answer: the next call with the key is carried out. */
export async function releaseSlot(database: Queryable, slot: IdempotencySlot, claimId: string): Promise<void> {
  await database.run(release, { ...slot, claimId });
}

/** Deletes the slots that are older than `keptHours`. */
export function idempotencySweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  batchSize?: number,
): Sweep {
  const until = `(SELECT byond_now() - ${kept})`;
  return sweepOldest(deps, { table: "idempotency", column: "created_at", until }, batchSize);
}
