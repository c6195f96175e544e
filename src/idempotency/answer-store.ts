import type { Database, Queryable } from "../database/database.ts";
import type { Sweep } from "../database/sweeper.ts";
import { sweepOldest } from "../database/table-sweeps.ts";

/** Where the answer of a call is kept. */
export interface IdempotencySlot {
  readonly workspaceId: string;
  /** The mode of an API key, or the id of a session's user: none of them shares idempotency keys with another. */
  readonly realm: string;
  readonly key: string;
}

/** How long a key is remembered. */
const kept = "interval '24 hours'";

/**
 * Claims the slot if nobody has it: if it is new, or older than a day, or if the claim of the same request ran out without
 * an answer. Returns a row if it did.
 */
const claim = {
  name: "idempotency_claim",
  text: `
    INSERT INTO idempotency AS slot (workspace_id, realm, key, fingerprint, claim_id, claimed_until, created_at)
    SELECT $1, $2, $3, ($4::text[])[1], $5, now + $6::int * interval '1 second', now
    FROM (SELECT byond_now() AS now) AS clock
    ON CONFLICT (workspace_id, realm, key) DO UPDATE SET
      fingerprint = EXCLUDED.fingerprint,
      claim_id = EXCLUDED.claim_id,
      claimed_until = EXCLUDED.claimed_until,
      created_at = EXCLUDED.created_at,
      answer_sealed = NULL
    WHERE slot.created_at <= byond_now() - ${kept}
      OR (slot.answer_sealed IS NULL AND slot.claimed_until <= byond_now() AND slot.fingerprint = ANY ($4))
    RETURNING true AS is_claimed`,
};

const read = {
  name: "idempotency_read",
  text: `
    SELECT fingerprint = ANY ($4::text[]) AS is_same_request, answer_sealed
    FROM idempotency
    WHERE workspace_id = $1 AND realm = $2 AND key = $3 AND created_at > byond_now() - ${kept}`,
};

const complete = {
  name: "idempotency_complete",
  text: `
    UPDATE idempotency SET answer_sealed = $5
    WHERE workspace_id = $1 AND realm = $2 AND key = $3 AND claim_id = $4 AND answer_sealed IS NULL
    RETURNING true AS is_completed`,
};

const release = {
  name: "idempotency_release",
  text: `
    DELETE FROM idempotency
    WHERE workspace_id = $1 AND realm = $2 AND key = $3 AND claim_id = $4 AND answer_sealed IS NULL`,
};

/** What was found in a slot. */
export type ClaimOutcome =
  | { readonly kind: "claimed" }
  /** A call with this key runs, here or on another server. */
  | { readonly kind: "in-progress" }
  /** The key was used for another request. */
  | { readonly kind: "other-request" }
  | { readonly kind: "answered"; readonly answerSealed: Buffer };

export interface ClaimRequest {
  readonly slot: IdempotencySlot;
  /** Of the request, under every secret, the current one first. */
  readonly fingerprints: readonly string[];
  readonly claimId: string;
  /** From when on another call may take the claim over, if there is no answer. */
  readonly claimSeconds: number;
}

/** A slot may be given up between the attempt to claim it and the look into it; then both are tried again. */
const attempts = 3;

/** Claims a slot, or tells what is in it. */
export async function claimSlot(database: Queryable, request: ClaimRequest): Promise<ClaimOutcome> {
  const { workspaceId, realm, key } = request.slot;
  const { fingerprints, claimId, claimSeconds } = request;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const claimed = await database.query(claim, [workspaceId, realm, key, fingerprints, claimId, claimSeconds]);
    if (claimed.length > 0) {
      return { kind: "claimed" };
    }
    const [found] = await database.query<{ is_same_request: boolean; answer_sealed: Buffer | null }>(read, [
      workspaceId,
      realm,
      key,
      fingerprints,
    ]);
    if (found !== undefined) {
      if (!found.is_same_request) {
        return { kind: "other-request" };
      }
      return found.answer_sealed === null
        ? { kind: "in-progress" }
        : { kind: "answered", answerSealed: found.answer_sealed };
    }
  }
  return { kind: "in-progress" };
}

/** Stores the answer of a claimed slot. False if the claim was taken over, or answered already. */
export async function completeSlot(
  database: Queryable,
  { workspaceId, realm, key }: IdempotencySlot,
  claimId: string,
  answerSealed: Buffer,
): Promise<boolean> {
  return (await database.query(complete, [workspaceId, realm, key, claimId, answerSealed])).length > 0;
}

/** Gives a claim up that has no answer, so that the next call with the key is a new try at once. */
export async function releaseSlot(
  database: Queryable,
  { workspaceId, realm, key }: IdempotencySlot,
  claimId: string,
): Promise<void> {
  await database.query(release, [workspaceId, realm, key, claimId]);
}

/** Forgets keys that are older than a day. */
export function idempotencySweep(
  deps: { readonly database: Pick<Database, "transaction"> },
  batchSize?: number,
): Sweep {
  const until = `(SELECT byond_now() - ${kept})`;
  return sweepOldest(deps, { table: "idempotency", column: "created_at", until }, batchSize);
}
