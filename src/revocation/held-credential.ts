import type { Queryable } from "../database/database.ts";
import { array, jsonb, nullable, statement, text } from "../database/statement.ts";

/**
 * The credential that a call was admitted with, as a parameter of a statement with effects: the database decides whether it still
 * holds. JSON. Null: the server acts by itself.
 */
export type HeldCredential = string | null;

/** The type of a parameter that is a `HeldCredential`. */
export const heldCredential = nullable(jsonb);

interface StatementParts {
  /** The name of the CTE that has rows if and only if the statement has its effect. */
  readonly effect: string;
  /** The names of the other CTEs that lock rows or change them. They are carried out in this order. */
  readonly after: readonly string[];
}

/**
 * SQL of the last step of a statement with effects, for its outermost SELECT:
 *
 * ```sql
 * WITH canceled AS (UPDATE … RETURNING id), given_up AS (UPDATE … RETURNING id)
 * SELECT …, ${requireCredential(p.credential, { after: ["given_up"], effect: "canceled" })}
 * ```
 *
 * It runs after every CTE that is named, row locks included. Unless the credential still holds then, it raises, which rolls the
 * statement back. Otherwise the credential holds until the commit: a revocation waits for that. It also raises if the call's
 * signature was spent before, and spends it if there was an effect.
 */
export function requireCredential(credential: string, { after, effect }: StatementParts): string {
  // Counts, so that the CTEs are carried out before the function begins; an effect is a count that is not zero.
  const counts = [...after.map((cte) => `(SELECT 0 * count(*) FROM ${cte})`), `(SELECT count(*) FROM ${effect})`];
  return `require_credential(${[credential, ...counts].join(", ")})`;
}

const lock = statement("lock_credential")(
  { credential: heldCredential, revoked: array(text) },
  (p) => `
    SELECT
      spend_signature(${p.credential}, true),
      lock_subjects(ARRAY(SELECT jsonb_array_elements_text(${p.credential} -> 'subjects')), ${p.revoked}),
      require_credential(${p.credential})`,
);

/**
 * The last step of a transaction of several statements, when it has its row locks. Throws `invalid_api_key` unless the credential
 * still holds; otherwise it holds until the commit. The revocation subjects in `revoked` are locked exclusively: effects that
 * depend on them are committed before, or find them revoked. Spends the call's signature; throws `signature_invalid` if it was
 * spent before.
 */
export async function lockCredential(
  transaction: Queryable,
  credential: HeldCredential,
  revoked: readonly string[] = [],
): Promise<void> {
  await transaction.run(lock, { credential, revoked });
}
