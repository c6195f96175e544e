import type { Tier } from "../../access/tiers.ts";
import type { Queryable } from "../../database/database.ts";
import { boolean, statement, text } from "../../database/statement.ts";
import { timeToVerify } from "./unverified-accounts.ts";

export interface NewAccount {
  readonly userId: string;
  readonly workspaceId: string;
  /** As `parseAccountAddress` writes it. */
  readonly email: string;
  readonly passwordHash: string;
  /** Of the user and of the workspace. */
  readonly name: string;
  readonly tier: Tier;
  readonly isVerified: boolean;
}

const insert = statement("insert_account")(
  { userId: text, workspaceId: text, email: text, passwordHash: text, name: text, tier: text, isVerified: boolean },
  (p) => `
    WITH made AS (
      INSERT INTO workspace (id, name, tier, created_at) VALUES (${p.workspaceId}, ${p.name}, ${p.tier}, byond_now())
      RETURNING created_at
    )
    INSERT INTO account (
      id, workspace_id, email, password_hash, name, created_at, password_set_at, email_verified_at, ends_at
    )
    SELECT ${p.userId}, ${p.workspaceId}, ${p.email}, ${p.passwordHash}, ${p.name}, created_at, created_at,
      CASE WHEN ${p.isVerified} THEN created_at END, CASE WHEN NOT ${p.isVerified} THEN created_at + ${timeToVerify} END
    FROM made`,
);

/** Writes a user and a workspace, in a transaction that holds the address (`lockAddress`). */
export async function insertAccount(transaction: Queryable, account: NewAccount): Promise<void> {
  await transaction.run(insert, account);
}
