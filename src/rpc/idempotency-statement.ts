import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { idempotencyClaimKey } from "./idempotency-claim.ts";

/** SQL of the values that `claimValues` returns, in the same order, and of the workspace's id: `$1`, `$16` and so on. */
export interface ClaimPlaceholders {
  readonly workspaceId: string;
  readonly realm: string;
  readonly key: string;
  readonly claimId: string;
  readonly answerSealed: string;
}

/**
 * For operations that are one statement and know their answer before it runs: parts of it that store the answer with the
 * effect.
 *
 *     WITH claim AS (${held}), effect AS (INSERT … SELECT … WHERE ${mayProceed("claim")} RETURNING …),
 *       answered AS (${answered("effect")})
 *     SELECT … FROM effect
 *
 * Without an idempotency key all of them do nothing. If the claim was taken over, there is no effect and no answer.
 */
export function claimStatement(placeholders: ClaimPlaceholders) {
  const { workspaceId, realm, key, claimId, answerSealed } = placeholders;
  const slot = `
    workspace_id = ${workspaceId} AND realm = ${realm} AND key = ${key} AND claim_id = ${claimId}::text
    AND answer_sealed IS NULL`;
  return {
    /** Locks the claim for the rest of the statement. */
    held: `SELECT FROM idempotency WHERE ${slot} FOR UPDATE`,
    /** Condition of the effect, given the name of the CTE above. */
    mayProceed: (held: string) => `(${claimId}::text IS NULL OR EXISTS (SELECT FROM ${held}))`,
    /** Stores the answer if there was an effect, given the name of its CTE. */
    answered: (effect: string) => `
      UPDATE idempotency SET answer_sealed = ${answerSealed} WHERE ${slot} AND EXISTS (SELECT FROM ${effect})`,
  };
}

/** Realm, key, claim and answer of a call; all null without an idempotency key. Afterwards call `claim.noteCompleted()`. */
export function claimValues<O extends DescMessage>(
  context: Pick<HandlerContext, "values">,
  schema: O,
  response: MessageInitShape<O>,
): readonly [string, string, string, Buffer] | readonly [null, null, null, null] {
  const claim = context.values.get(idempotencyClaimKey);
  return claim === undefined
    ? [null, null, null, null]
    : [claim.slot.realm, claim.slot.key, claim.claimId, claim.seal(schema, response)];
}
