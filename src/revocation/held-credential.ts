import type { Queryable } from "../database/database.ts";

/**
 * The credential that a call was admitted with, as an effect names it to the database, which decides whether it still holds:
 * JSON, bound as one parameter. Null: the server acts by itself.
 */
export type HeldCredential = string | null;

/**
 * SQL of the last step of a statement with effects, to stand in its outermost SELECT:
 *
 *     WITH canceled AS (UPDATE … RETURNING id), given_up AS (UPDATE … RETURNING id)
 *     SELECT …, ${requireCredential("$4", ["canceled", "given_up"])}
 *
 * It waits for every CTE in `after`, row locks included, and raises, which rolls the statement back, unless the credential
 * in `placeholder` still holds then. It holds until the commit: whoever revokes it waits for that.
 */
export function requireCredential(placeholder: string, after: readonly string[]): string {
  const counts = after.map((cte) => `(SELECT count(*) FROM ${cte})`);
  return `require_credential(${[`${placeholder}::jsonb`, ...counts].join(", ")})`;
}

const lock = {
  name: "lock_credential",
  text: `SELECT lock_subjects(
      ARRAY(SELECT jsonb_array_elements_text($1::jsonb -> 'subjects')), $2::text[]
    ), require_credential($1)`,
};

/**
 * The last step of a transaction of several statements, when it has its row locks: throws `invalid_api_key` unless the
 * credential still holds, and has it hold until the commit. The revocation subjects in `revoked` are locked for this
 * transaction alone: effects that rest on them are committed before, or find them revoked.
 */
export async function lockCredential(
  transaction: Queryable,
  credential: HeldCredential,
  revoked: readonly string[] = [],
): Promise<void> {
  await transaction.query(lock, [credential, revoked]);
}
