import type { Tier } from "../../access/tiers.ts";
import type { Hasher } from "../../crypto/hashing.ts";
import { createId } from "../../crypto/ids.ts";
import type { Queryable } from "../../database/database.ts";
import { integer, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import type { StoredAccount } from "./find-account.ts";
import { insertAccount } from "./insert-account.ts";
import { forgetKnownSources } from "./known-sources.ts";
import { lockSessions } from "./lock-sessions.ts";
import type { AccountReference } from "./unverified-accounts.ts";

const reset = statement<{ id: string }>("reset_password")(
  { workspaceId: text, userId: text, tokenRevision: integer, passwordHash: text },
  (p) => `
    WITH ended AS (
      DELETE FROM session WHERE workspace_id = ${p.workspaceId} AND account_id = ${p.userId}
    ), forgotten AS (
      ${forgetKnownSources(p.userId)}
    )
    UPDATE account SET
      password_hash = ${p.passwordHash}, password_set_at = byond_now(), token_revision = token_revision + 1
    WHERE id = ${p.userId} AND token_revision = ${p.tokenRevision}
    RETURNING id`,
);

/**
 * Sets the password of an address, for somebody who has proved it to be theirs (`proveAddress`), ends all sessions, and
 * forgets where it was signed in to. Unverified accounts are replaced by one new account with a new workspace. Undefined if
 * there is no account at all. Throws `unavailable` if its user changes or deletes it at the same moment.
 */
export async function setPasswordOf(
  deps: { readonly passwordHasher: Hasher; readonly defaultTier: Tier },
  transaction: Queryable,
  {
    email,
    password,
    accounts,
  }: {
    readonly email: string;
    readonly password: string;
    readonly accounts: readonly StoredAccount[];
  },
): Promise<AccountReference | undefined> {
  const [account] = accounts;
  if (account === undefined) {
    return undefined;
  }
  // Inside the transaction, so that only a right code costs a hash. If the hasher is busy for three seconds, PostgreSQL ends
  // the transaction: 503, and the code is not used up.
  const passwordHash = await deps.passwordHasher.hashPassword(password);
  if (account.isVerified) {
    const { workspaceId, userId, tokenRevision } = account;
    await lockSessions(transaction, account);
    if ((await transaction.run(reset, { workspaceId, userId, tokenRevision, passwordHash })).length === 0) {
      throw new AppError("unavailable", "The service is busy. Try again shortly.", { retryAfterSeconds: 1 });
    }
    return account;
  }
  const made = { userId: createId("usr"), workspaceId: createId("ws") };
  const name = email.slice(0, email.lastIndexOf("@"));
  await insertAccount(transaction, { ...made, email, passwordHash, name, tier: deps.defaultTier, isVerified: true });
  return made;
}
