import type { Database } from "../database/database.ts";
import { AppError, invalidFields } from "../errors.ts";
import type { Hasher } from "../hashing.ts";
import { createId } from "../ids.ts";
import { accountAddress, parseMailAddress } from "../mail-address.ts";
import type { Tier } from "../rpc/quota/tiers.ts";
import { newPasswordProblem } from "./new-password.ts";

export interface Account {
  readonly userId: string;
  readonly workspaceId: string;
}

export interface AccountDependencies {
  readonly database: Database;
  readonly passwordHasher: Pick<Hasher, "hash">;
  /** Of the new workspace. */
  readonly defaultTier: Tier;
}

/** What a malformed address is told. */
export const emailProblem = "must be an email address";

const insertWorkspace = {
  name: "insert_workspace",
  text: "INSERT INTO workspace (id, name, tier, created_at) VALUES ($1, $2, $3, byond_now())",
};

const insertAccount = {
  name: "insert_account",
  text: `
    INSERT INTO account (id, workspace_id, email, password_hash, name, created_at)
    VALUES ($1, $2, $3, $4, $5, byond_now())
    ON CONFLICT (email) DO NOTHING
    RETURNING id`,
};

/**
 * Makes a user and the workspace that belongs to it. Throws `validation_error` for a malformed address and for a password
 * that is easy to guess, and `already_exists` for an address that has an account.
 */
export async function createAccount(
  deps: AccountDependencies,
  input: { readonly email: string; readonly password: string; readonly name: string },
): Promise<Account> {
  const address = parseMailAddress(input.email);
  if (address === undefined) {
    throw invalidFields({ email: emailProblem });
  }
  const problem = newPasswordProblem(input.password, input.email);
  if (problem !== undefined) {
    throw invalidFields({ password: problem });
  }
  const passwordHash = await deps.passwordHasher.hash(input.password);
  const account = { userId: createId("usr"), workspaceId: createId("ws") };
  await deps.database.transaction(async (transaction) => {
    await transaction.query(insertWorkspace, [account.workspaceId, input.name, deps.defaultTier]);
    const values = [account.userId, account.workspaceId, accountAddress(address), passwordHash, input.name];
    const created = await transaction.query(insertAccount, values);
    if (created.length === 0) {
      throw new AppError("already_exists", "There is an account with this email already.");
    }
  });
  return account;
}
