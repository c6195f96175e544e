import { timingSafeEqual } from "node:crypto";
import type { Mode } from "../../access/caller.ts";
import { createId } from "../../crypto/ids.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { limitLockWait, type Queryable } from "../../database/database.ts";
import { hasToken } from "../../database/throttle.ts";
import { requireCredential } from "../../revocation/held-credential.ts";
import { deriveCode, maxCodeLength, minCodeLength, normalizeCode } from "./code.ts";
import { verificationNotFound } from "./get-verification.ts";
import { guessKey, guessLimit } from "./limits.ts";
import { indexesOfAny, parseAnyRecipient } from "./recipient.ts";
import type { VerificationOwner } from "./start-verification.ts";

export interface CheckInput {
  readonly verificationId: string;
  /** As the user entered it. */
  readonly code: string;
  /** Whom the caller takes the verification to be of: E.164 or a mail address. Undefined: not asked. */
  readonly recipient: string | undefined;
}

export type CheckResult = "approved" | "incorrect" | "expired" | "locked";

/**
 * Decides an attempt under the locks of the verification and of its recipient's budget for guessing, in that order. The
 * code itself is no parameter: the server says which of its master secrets the code matched ($4), of those that it knows
 * ($5), and the length ($6) that it derived codes of. A right code for another recipient ($9) is a wrong one.
 *
 * `budget` returns a row for each limit index whose recipient has a guess left; a right code looks, a wrong one takes. A
 * verification with two recipients counts against both: whichever of them it is presented for, nobody can guess more often.
 */
const check = {
  name: "check_verification",
  text: `
    WITH ${limitLockWait}, target AS (
      SELECT
        coalesce(limit_indexes, ARRAY[recipient_index]) AS limit_indexes, status, attempts, max_attempts,
        status = 'pending' AND expires_at > byond_now() AND secret_id = ANY ($5::text[]) AS is_live,
        secret_id = ANY ($4::text[]) AND code_length = $6::smallint AND (
          $9::text[] IS NULL OR recipient_index = ANY ($9::text[])
          OR coalesce(second_recipient_index = ANY ($9::text[]), false)
        ) AS is_right
      FROM verification, begun
      WHERE workspace_id = $1 AND id = $2 AND mode = $3
      FOR UPDATE OF verification
    ), budget AS (
      INSERT INTO throttle AS bucket (workspace_id, key, tat)
      SELECT
        $1, ${guessKey("$3::text", "limit_index")},
        byond_now() + CASE WHEN is_right THEN interval '0' ELSE ${guessLimit.period} END
      FROM target, unnest(limit_indexes) AS limit_index
      WHERE is_live
      ORDER BY limit_index
      ON CONFLICT (workspace_id, key) DO UPDATE
        SET tat = CASE
          WHEN (SELECT is_right FROM target) THEN bucket.tat
          ELSE greatest(bucket.tat, byond_now()) + ${guessLimit.period}
        END
        WHERE ${hasToken("bucket.tat", guessLimit)}
      RETURNING tat
    ), decision AS (
      SELECT CASE
        WHEN (SELECT count(*) FROM budget) < cardinality(limit_indexes) THEN 'locked'
        WHEN is_right THEN 'approved'
        WHEN attempts + 1 >= max_attempts THEN 'locked'
        ELSE 'pending'
      END AS status
      FROM target WHERE is_live
    ), counted AS (
      UPDATE verification SET
        attempts = verification.attempts + 1,
        status = decision.status,
        last_attempt_id = $8,
        approved_at = CASE WHEN decision.status = 'approved' THEN byond_now() END
      FROM decision
      WHERE verification.workspace_id = $1 AND verification.id = $2
      RETURNING verification.status
    )
    SELECT target.status AS before, counted.status AS after, ${requireCredential("$7", { after: ["budget"], effect: "counted" })}
    FROM target LEFT JOIN counted ON true`,
};

const lookUpAttempt = {
  name: "look_up_attempt",
  text: `
    SELECT 'pending' AS before, status AS after FROM verification
    WHERE workspace_id = $1 AND id = $2 AND last_attempt_id = $3`,
};

interface CheckRow {
  readonly before: "pending" | "approved" | "locked" | "channel_unavailable";
  /** Null if the attempt did not count: the verification was finished or out of time. */
  readonly after: "pending" | "approved" | "locked" | null;
}

/**
 * Counts one attempt and says how it ended. A verification can be approved once. Throws `not_found` for an id that does
 * not exist in this workspace and mode, `validation_error`, which is no attempt, for a recipient that is none, and
 * `invalid_api_key` if the credential does not hold any more.
 */
export async function checkVerification(
  deps: { readonly database: Queryable; readonly keyring: Keyring },
  { workspaceId, mode, credential }: Pick<VerificationOwner, "workspaceId" | "mode" | "credential">,
  { verificationId, code: submitted, recipient }: CheckInput,
): Promise<CheckResult> {
  const code = normalizeCode(submitted);
  const attemptId = createId("att");
  const values = [
    workspaceId,
    verificationId,
    mode,
    matchingSecrets(deps.keyring, { verificationId, mode }, code),
    deps.keyring.all.map((secret) => secret.id),
    Math.min(code.length, maxCodeLength + 1),
    credential,
    attemptId,
    recipient === undefined ? null : indexesOfAny(deps.keyring, recipient),
  ];
  const lookUp = { statement: lookUpAttempt, values: [workspaceId, verificationId, attemptId] };
  const [row] = await deps.database.query<CheckRow & Record<string, unknown>>(check, values, lookUp);
  if (row === undefined) {
    throw verificationNotFound();
  }
  return resultOf(row);
}

function resultOf({ before, after }: CheckRow): CheckResult {
  switch (after) {
    case "approved":
    case "locked":
      return after;
    case "pending":
      return "incorrect";
    case null:
      return before === "locked" ? "locked" : "expired";
  }
}

/** What is wrong with the recipient of a check, by field. */
export function checkProblems({ recipient }: { readonly recipient?: string | undefined }): Record<string, string> {
  const parsed = recipient === undefined ? undefined : parseAnyRecipient(recipient);
  return parsed !== undefined && "problem" in parsed ? { recipient: parsed.problem } : {};
}

/** The ids of the master secrets under which this is the verification's code. */
function matchingSecrets(
  keyring: Keyring,
  verification: { readonly verificationId: string; readonly mode: Mode },
  code: string,
): string[] {
  if (code.length < minCodeLength || code.length > maxCodeLength || !/^[0-9]+$/.test(code)) {
    return [];
  }
  const subject = { ...verification, length: code.length };
  const submitted = Buffer.from(code);
  return keyring.all
    .filter((secret) => timingSafeEqual(submitted, Buffer.from(deriveCode(secret, subject))))
    .map((secret) => secret.id);
}
