import { type InferResult, sql } from "kysely";
import type { Caller } from "../../access/caller.ts";
import type { QueryableTables } from "../../database/database.ts";
import { AppError, sessionRefused } from "../../errors.ts";
import { demoAddress, parseAccountAddress, parseLegacyAccountAddress } from "../../text/mail-address.ts";
import type { AccountTables } from "./account-tables.ts";

/** The columns of a `StoredAccount`. */
const selectAccounts = (tables: AccountTables) =>
  tables
    .selectFrom("account")
    .select(["id as userId", "workspaceId", "email", "passwordHash", "passwordSetAt", "tokenRevision"])
    .select(["emailVerificationId", "createdAt", sql<boolean>`email_verified_at IS NOT NULL`.as("isVerified")]);

/** A user's account as it is stored. */
export type StoredAccount = Readonly<InferResult<ReturnType<typeof selectAccounts>>[number]>;

type Dependencies = { readonly database: Pick<QueryableTables, "query"> };

/** The accounts with this address, as it is stored: the verified one, or else the unverified ones, oldest first. */
export async function findAccountsByEmail({ database }: Dependencies, email: string): Promise<StoredAccount[]> {
  const accounts = await database.query((tables: AccountTables) =>
    selectAccounts(tables).where("email", "=", email).orderBy("createdAt").orderBy("id"),
  );
  const verified = accounts.find(({ isVerified }) => isVerified);
  return verified === undefined ? accounts : [verified];
}

/**
 * The form of an address that its accounts were stored with: it may be an older normal form. Undefined if it is no address.
 * Runs the same queries for an address without an account.
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
 * The caller's account: the session's user, or the owner of the key's workspace. Throws `not_found` if the key's workspace
 * has none, and `invalid_api_key` if the session's account was deleted since it was admitted.
 */
export async function accountOf({ database }: Dependencies, caller: Caller): Promise<StoredAccount> {
  const [account] = await database.query((tables: AccountTables) =>
    caller.kind === "session"
      ? selectAccounts(tables).where("id", "=", caller.userId)
      : selectAccounts(tables).where("workspaceId", "=", caller.workspaceId).orderBy("createdAt").limit(1),
  );
  if (account === undefined) {
    // A live session has an account: this session has just ended.
    throw caller.kind === "session" ? sessionRefused() : accountNotFound();
  }
  return account;
}

export function accountNotFound(): AppError {
  return new AppError("not_found", "No user record found for this workspace.");
}

/** The address of the owner of a workspace, if it is verified: nothing else is sent to a stranger's. */
export async function findOwnerEmail({ database }: Dependencies, workspaceId: string): Promise<string | undefined> {
  const [account] = await database.query((tables: AccountTables) =>
    selectAccounts(tables).where("workspaceId", "=", workspaceId).orderBy("createdAt").limit(1),
  );
  return account?.isVerified === true ? account.email : undefined;
}
