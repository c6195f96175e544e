import type { Queryable } from "../database/database.ts";
import { AppError } from "../errors.ts";
import type { Hasher } from "../hashing.ts";
import { accountAddress, parseMailAddress } from "../mail-address.ts";
import type { Account } from "./create-account.ts";

const readAccount = {
  name: "read_account_by_email",
  text: "SELECT id, workspace_id, password_hash FROM account WHERE email = $1",
};

/** A well-formed hash of nothing: what an unknown address is compared with, so that it takes as long as a known one. */
export async function createDecoyHash(passwordHasher: Hasher): Promise<string> {
  return passwordHasher.hash(crypto.randomUUID());
}

/**
 * Whose account it is. Throws `invalid_api_key` for an unknown address and for a wrong password: the same answer, after
 * the same work.
 */
export async function signIn(
  deps: { readonly database: Queryable; readonly passwordHasher: Hasher; readonly decoyHash: string },
  input: { readonly email: string; readonly password: string },
): Promise<Account> {
  // A malformed address is an unknown one here: it must not be told apart either.
  const address = parseMailAddress(input.email);
  const email = address === undefined ? "" : accountAddress(address);
  const [row] = await deps.database.query<{ id: string; workspace_id: string; password_hash: string }>(readAccount, [
    email,
  ]);
  const isRight = await deps.passwordHasher.verify(row?.password_hash ?? deps.decoyHash, input.password);
  if (row === undefined || !isRight) {
    throw new AppError("invalid_api_key", "The email or the password is wrong.");
  }
  return { userId: row.id, workspaceId: row.workspace_id };
}
