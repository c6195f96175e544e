import type { Tier } from "../../access/tiers.ts";
import type { Queryable } from "../../database/database.ts";
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

const insert = {
  name: "insert_account",
  text: `
    WITH made AS (
      INSERT INTO workspace (id, name, tier, created_at) VALUES ($2, $5, $6, byond_now()) RETURNING created_at
    )
    INSERT INTO account (
      id, workspace_id, email, password_hash, name, created_at, password_set_at, email_verified_at, ends_at
    )
    SELECT $1, $2, $3, $4, $5, created_at, created_at,
      CASE WHEN $7::boolean THEN created_at END, CASE WHEN NOT $7::boolean THEN created_at + ${timeToVerify} END
    FROM made`,
};

/** Writes a user and a workspace, in a transaction that holds the address (`lockAddress`). */
export async function insertAccount(transaction: Queryable, account: NewAccount): Promise<void> {
  const { userId, workspaceId, email, passwordHash, name, tier, isVerified } = account;
  await transaction.query(insert, [userId, workspaceId, email, passwordHash, name, tier, isVerified]);
}
