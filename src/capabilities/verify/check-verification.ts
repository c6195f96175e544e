import { timingSafeEqual } from "node:crypto";
import { createId } from "../../crypto/ids.ts";
import type { Keyring, MasterSecret } from "../../crypto/keyring.ts";
import { limitLockWait, type Queryable } from "../../database/database.ts";
import { array, integer, nullable, type Placeholders, statement, text } from "../../database/statement.ts";
import { hasToken } from "../../database/throttle.ts";
import { heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import { approvalIndexes, approvalOf, approvalProblems, type GivenApproval, hasApproval } from "./approval.ts";
import { deriveCode, deriveFixedCode, normalizeCode } from "./code.ts";
import { verificationNotFound } from "./get-verification.ts";
import { type GuessSource, guessTagOf } from "./guessing/guess-source.ts";
import { type GuardModeSql, slowedSources, takeCheckTokens } from "./guessing/slowed-source.ts";
import { indexesOfAny, parseAnyRecipient } from "./recipient.ts";
import { guessKey } from "./send-limits.ts";
import type { VerificationOwner } from "./start-verification.ts";
import type { VerificationStatus } from "./verification-view.ts";
import { codeLength, guessLimit } from "./verify.policy.ts";

/** With the payment that the caller is about to make: the code is wrong for any other. */
export interface CheckInput extends GivenApproval {
  readonly verificationId: string;
  /** As the end user entered it. */
  readonly code: string;
  /** The recipient that the caller expects, E.164 or a mail address: the code is wrong for any other. Undefined: not checked. */
  readonly recipient: string | undefined;
  /** Where the code came from. None: they are not judged. */
  readonly sources: readonly GuessSource[];
}

export type CheckStatus = "approved" | "incorrect" | "expired" | "locked";

export interface CheckResult {
  readonly status: CheckStatus;
  /** Whether the recipient has a fixed code: it was not sent, and is not secret. */
  readonly hasFixedCode: boolean;
  /** The sources whose first wrong code for the verification it was. */
  readonly guessed: readonly GuessSource[];
  /** Those that entered a right code which was sent. */
  readonly approved: readonly GuessSource[];
}

/**
 * Decides an attempt under two locks, in this order: the verification, then the buckets that count wrong codes for its
 * recipients. The code is not a parameter: the server passes the master secrets that it knows, those under which the code is
 * right, and the length of the code. The right code for another recipient or another payment is a wrong code.
 *
 * `budget` has a row for each limit index that has a token left. A wrong code takes the tokens, a right code only looks. A
 * verification with two recipients counts against both, so that a second recipient does not allow more guesses.
 *
 * If a source of the code is slowed, the statement does nothing but say so.
 *
 * A wrong code adds the tags of its sources to the row, and answers those that are new.
 */
const checkParameters = {
  workspaceId: text,
  id: text,
  mode: text,
  matchingSecrets: array(text),
  knownSecrets: array(text),
  codeLength: integer,
  recipientIndexes: nullable(array(text)),
  approvalIndexes: nullable(array(text)),
  sources: array(text),
  tags: array(integer),
  attemptId: text,
  credential: heldCredential,
};

/** `hasCode`: SQL that is true of the verifications whose code the server passes. Others are left as they are. */
const checkText = (p: Placeholders<typeof checkParameters>, hasCode: string, guardMode: GuardModeSql) => `
    WITH ${limitLockWait}, ${slowedSources(p, guardMode)}, target AS (
      SELECT
        limit_indexes, status, attempts, max_attempts, fixed_code_id, guess_tags,
        status = 'pending' AND expires_at > byond_now() AND secret_id = ANY (${p.knownSecrets}) AND ${hasCode} AS is_live,
        secret_id = ANY (${p.matchingSecrets}) AND code_length = ${p.codeLength} AND (
          ${p.recipientIndexes} IS NULL
          OR (recipient_index = ANY (${p.recipientIndexes}) AND unsent_recipient IS DISTINCT FROM 'first')
          OR coalesce(second_recipient_index = ANY (${p.recipientIndexes}) AND unsent_recipient IS DISTINCT FROM 'second', false)
        ) AND ${hasApproval(p.approvalIndexes)} AS is_right
      FROM verification, begun
      WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND mode = ${p.mode}
        AND (SELECT sources FROM slowed) IS NULL
      FOR UPDATE OF verification
    ), budget AS (
      INSERT INTO throttle AS bucket (workspace_id, key, tat)
      SELECT
        ${p.workspaceId}, ${guessKey(p.mode, "limit_index")},
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
      END AS status,
      CASE WHEN NOT is_right THEN
        (SELECT array_agg(tag) FROM unnest(${p.tags}) AS tag WHERE tag <> ALL (coalesce(guess_tags, '{}')))
      END AS new_tags
      FROM target WHERE is_live
    ), counted AS (
      UPDATE verification SET
        attempts = verification.attempts + 1,
        status = decision.status,
        last_attempt_id = ${p.attemptId},
        guess_tags = verification.guess_tags || decision.new_tags,
        approved_at = CASE WHEN decision.status = 'approved' THEN byond_now() END
      FROM decision
      WHERE verification.workspace_id = ${p.workspaceId} AND verification.id = ${p.id}
      RETURNING verification.status, decision.new_tags
    )
    SELECT
      slowed.sources AS slowed_sources, target.status AS before, counted.status AS after, target.fixed_code_id,
      counted.new_tags,
      ${requireCredential(p.credential, { after: ["budget"], effect: "counted" })}
    FROM slowed LEFT JOIN target ON true LEFT JOIN counted ON true`;

/** The statements of a check. `guardMode`: slowed sources are asked for it. */
export const checkStatements = (guardMode: GuardModeSql) => ({
  check: statement<CheckRow>("check_verification")(checkParameters, (p) =>
    checkText(p, "fixed_code_id IS NULL", guardMode),
  ),
  /** The same for a fixed code, as long as it is neither deleted nor over. A statement of its own: others do not pay for it. */
  checkFixed: statement<CheckRow>("check_fixed_code")({ ...checkParameters, fixedCodeId: text }, (p) =>
    checkText(
      p,
      `fixed_code_id = ${p.fixedCodeId} AND EXISTS (
        SELECT FROM fixed_code WHERE workspace_id = ${p.workspaceId} AND id = ${p.fixedCodeId} AND expires_at > byond_now()
      )`,
      guardMode,
    ),
  ),
});

const lookUpAttempt = statement<CheckRow>("look_up_attempt")(
  { workspaceId: text, id: text, attemptId: text },
  (p) => `
    SELECT NULL::text[] AS slowed_sources, 'pending' AS before, status AS after, fixed_code_id, NULL::integer[] AS new_tags
    FROM verification
    WHERE workspace_id = ${p.workspaceId} AND id = ${p.id} AND last_attempt_id = ${p.attemptId}`,
);

interface CheckRow {
  /** Null: no source of the code is slowed. */
  readonly slowedSources: readonly string[] | null;
  /** Null: there is no such verification, or a source is slowed. */
  readonly before: VerificationStatus | null;
  /** Null: the attempt did not count, because the verification had ended or expired. */
  readonly after: "pending" | "approved" | "locked" | null;
  readonly fixedCodeId: string | null;
  /** The tags of sources that had no wrong code for the verification before this one. Null: there are none, or the code was not wrong. */
  readonly newTags: readonly number[] | null;
}

export interface CheckDependencies {
  readonly database: Queryable;
  readonly keyring: Keyring;
  readonly checks: ReturnType<typeof checkStatements>;
  readonly allowsFixedCodes: boolean;
}

/**
 * Counts one attempt and returns its result. A verification can be approved once. Throws `not_found` if the workspace has no
 * such verification in this mode, `validation_error` for a malformed recipient and `rate_limited` for a slowed source, which do
 * not count as an attempt, and `invalid_api_key` if the credential no longer holds. A fixed code has expired where they are not allowed.
 */
export async function checkVerification(
  deps: CheckDependencies,
  { workspaceId, mode, credential }: Pick<VerificationOwner, "workspaceId" | "mode" | "credential">,
  { verificationId, code: submitted, recipient, payee, amount, sources }: CheckInput,
): Promise<CheckResult> {
  const code = normalizeCode(submitted);
  const approval = approvalOf({ payee, amount });
  const isIncomplete = approval === undefined && (payee !== undefined || amount !== undefined);
  const attemptId = createId("att");
  const target = { workspaceId, id: verificationId, attemptId };
  const values = {
    ...target,
    mode,
    credential,
    matchingSecrets: matchingSecrets(deps.keyring, code, (secret) =>
      deriveCode(secret, { verificationId, mode, length: code.length, approval }),
    ),
    knownSecrets: deps.keyring.all.map((secret) => secret.id),
    codeLength: Math.min(code.length, codeLength.max + 1),
    recipientIndexes: recipient === undefined ? null : indexesOfAny(deps.keyring, recipient),
    approvalIndexes: isIncomplete ? [] : approvalIndexes(deps.keyring, approval),
    sources: [],
    tags: sources.map((source) => guessTagOf(verificationId, source)),
  };
  const { check, checkFixed } = deps.checks;
  let [row] = await deps.database.run(
    check,
    { ...values, sources: sources.map(({ key }) => key) },
    lookUpAttempt.bind(target),
  );
  const slowed = row?.slowedSources ?? [];
  if (slowed.length > 0) {
    await takeCheckTokens(deps.database, workspaceId, slowed);
    [row] = await deps.database.run(check, values, lookUpAttempt.bind(target));
  }
  if (row === undefined || row.before === null) {
    throw verificationNotFound();
  }
  const { fixedCodeId } = row;
  if (fixedCodeId === null) {
    const { after, newTags } = row;
    return {
      status: statusOf(row),
      hasFixedCode: false,
      guessed: sources.filter((source) => newTags?.includes(guessTagOf(verificationId, source))),
      approved: after === "approved" ? sources : [],
    };
  }
  if (!deps.allowsFixedCodes) {
    return { status: "expired", hasFixedCode: true, guessed: [], approved: [] };
  }
  const fixedValues = {
    ...values,
    fixedCodeId,
    tags: [],
    matchingSecrets: matchingSecrets(deps.keyring, code, (secret) =>
      deriveFixedCode(secret, { fixedCodeId, length: code.length }),
    ),
  };
  const [fixed] = await deps.database.run(checkFixed, fixedValues, lookUpAttempt.bind(target));
  return { status: statusOf(fixed ?? row), hasFixedCode: true, guessed: [], approved: [] };
}

function statusOf({ before, after }: CheckRow): CheckStatus {
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

/** The problems of the recipient, the payee and the amount of a check, by field. */
export function checkProblems({
  recipient,
  ...given
}: GivenApproval & { readonly recipient?: string | undefined }): Record<string, string> {
  const parsed = recipient === undefined ? undefined : parseAnyRecipient(recipient);
  return {
    ...(parsed !== undefined && "problem" in parsed ? { recipient: parsed.problem } : {}),
    ...approvalProblems(given),
  };
}

/** The ids of the master secrets under which the code is the submitted one. */
function matchingSecrets(keyring: Keyring, code: string, derive: (secret: MasterSecret) => string): string[] {
  if (code.length < codeLength.min || code.length > codeLength.max || !/^[0-9]+$/.test(code)) {
    return [];
  }
  const submitted = Buffer.from(code);
  return keyring.all
    .filter((secret) => timingSafeEqual(submitted, Buffer.from(derive(secret))))
    .map((secret) => secret.id);
}
