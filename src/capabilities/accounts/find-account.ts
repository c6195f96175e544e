import type { Caller } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { statement, text } from "../../database/statement.ts";
import { AppError, sessionRefused } from "../../errors.ts";
import { demoAddress, parseAccountAddress, parseLegacyAccountAddress } from "../../text/mail-address.ts";

/** A user's account as it is stored. */
export interface StoredAccount {
  readonly userId: string;
  readonly workspaceId: string;
  /** As `parseAccountAddress` writes it, or wrote it when the account was made. */
  readonly email: string;
  readonly passwordHash: string;
  readonly tokenRevision: number;
  /** The verification of the address that was started last. */
  readonly emailVerificationId: string | null;
  readonly isVerified: boolean;
  /** When the password was chosen. */
  readonly passwordSetAt: Date;
  readonly createdAt: Date;
}

const columns = `
  id AS user_id, workspace_id, email, password_hash, token_revision, email_verification_id,
  email_verified_at IS NOT NULL AS is_verified, password_set_at, created_at`;

const byEmail = statement<StoredAccount>("read_accounts_by_email")(
  { email: text },
  (p) => `SELECT ${columns} FROM account WHERE email = ${p.email} ORDER BY created_at, id`,
);
const byId = statement<StoredAccount>("read_account_by_id")(
  { id: text },
  (p) => `SELECT ${columns} FROM account WHERE id = ${p.id}`,
);
const byWorkspace = statement<StoredAccount>("read_account_by_workspace")(
  { workspaceId: text },
  (p) => `SELECT ${columns} FROM account WHERE workspace_id = ${p.workspaceId} ORDER BY created_at LIMIT 1`,
);

type Dependencies = { readonly database: Queryable };

/**
 * The accounts with this address, as they are stored: the one that is verified, else those that wait for the
 * proof, the oldest first.
 */
export async function findAccountsByEmail({ database }: Dependencies, email: string): Promise<StoredAccount[]> {
  const accounts = await database.run(byEmail, { email });
  const verified = accounts.find(({ isVerified }) => isVerified);
  return verified === undefined ? accounts : [verified];
}

/**
 * The address as its accounts have it, whichever way it is written: they keep the form that they were stored in. Undefined if
 * it is none. Asks the same of an address without an account.
 */
export async function findStoredAddress(deps: Dependencies, presented: string): Promise<string | undefined> {
  if (presented === demoAddress) {
    return demoAddress;
  }
  const [address, legacy] = [parseAccountAddress(presented), parseLegacyAccountAddress(presented)];
  if (address === undefined || legacy === undefined || legacy === address) {
    return address;
  }
  const accounts = await findAccountsByEmail(deps, address);
  const legacyAccounts = await findAccountsByEmail(deps, legacy);
  return accounts.length === 0 && legacyAccounts.length > 0 ? legacy : address;
}

/**
 * The account of whoever calls: the session's user, or the owner of the key's workspace. Throws `not_found` if a key's has
 * none, and `invalid_api_key` if the session's was deleted since it was admitted.
 */
export async function accountOf({ database }: Dependencies, caller: Caller): Promise<StoredAccount> {
  const [account] =
    caller.kind === "session"
      ? await database.run(byId, { id: caller.userId })
      : await database.run(byWorkspace, { workspaceId: caller.workspaceId });
  if (account === undefined) {
    // A session has an account as long as it lives: this one ended a moment ago.
    throw caller.kind === "session" ? sessionRefused() : accountNotFound();
  }
  return account;
}

export function accountNotFound(): AppError {
  return new AppError("not_found", "No user record found for this workspace.");
}
