import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Tier } from "../../access/tiers.ts";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import { createId } from "../../crypto/ids.ts";
import type { QueryableTables } from "../../database/database.ts";
import { databaseTime } from "../../database/table-query.ts";
import { AppError, invalidFields } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject } from "../../revocation/revocation-subjects.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import type { AccountTables } from "./account-tables.ts";
import { isRightPassword, type PasswordDependencies, wrongPassword } from "./check-password.ts";
import type { AccountReference } from "./delete-account-rows.ts";
import { lockSessions, removeSessions } from "./end-sessions.ts";
import { accountOf, findAccountsByEmail, type StoredAccount } from "./find-account.ts";
import { forgetSources } from "./known-sources.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";
import { newPasswordProblem } from "./password-rules.ts";
import { insertAccount } from "./sign-up.ts";

/**
 * Replaces the password, unless it or the sessions were changed since `tokenRevision` was read; ends every session, and
 * forgets where the account was signed in to. Returns the new revision, or undefined if nothing was replaced.
 */
async function replacePassword(
  transaction: QueryableTables,
  { workspaceId, userId, tokenRevision }: Pick<StoredAccount, "workspaceId" | "userId" | "tokenRevision">,
  passwordHash: string,
): Promise<number | undefined> {
  const [replaced] = await transaction.query((tables: AccountTables) =>
    tables
      .updateTable("account")
      .set((eb) => ({ passwordHash, passwordSetAt: databaseTime, tokenRevision: eb("tokenRevision", "+", 1) }))
      .where("id", "=", userId)
      .where("tokenRevision", "=", tokenRevision)
      .returning("tokenRevision"),
  );
  if (replaced !== undefined) {
    await removeSessions(transaction, { workspaceId, userId });
    await forgetSources(transaction, userId);
  }
  return replaced?.tokenRevision;
}

/**
 * Changes the password, ends every session of the account, and forgets where it was signed in to; returns a new session.
 * When it returns, no server accepts the tokens of the others any more. Throws `invalid_password` for a wrong current
 * password, and `rate_limited` after too many of those. `onAuthorized` runs once the caller's session is locked, so that
 * nobody else can end it before this is done; `beforeCommit` runs last in the transaction.
 */
export async function changePassword(
  deps: PasswordDependencies & SessionDependencies & { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  input: {
    readonly currentPassword: string;
    readonly newPassword: string;
    readonly clientAddress: string | undefined;
  },
  onAuthorized: () => void,
  beforeCommit: (transaction: QueryableTables, session: SessionGrant) => Promise<void>,
): Promise<SessionGrant> {
  const account = await accountOf(deps, caller);
  const { userId, workspaceId, email } = account;
  const problem = newPasswordProblem(input.newPassword, email);
  if (problem !== undefined) {
    throw invalidFields({ new_password: problem });
  }
  const { currentPassword: password, clientAddress } = input;
  if (!(await isRightPassword(deps, account, { password, clientAddress }))) {
    throw wrongPassword();
  }
  const others = (await findAccountsByEmail(deps, email)).filter((other) => other.userId !== userId);
  // With the salt of the others that wait for the address, as at sign-up.
  const turn = { source: limitKeyOf(clientAddress) };
  const newHash = await deps.passwordHasher.hashPassword(input.newPassword, turn, others[0]?.passwordHash);
  const replace = async (transaction: QueryableTables) => {
    onAuthorized();
    const newRevision = await replacePassword(transaction, account, newHash);
    // Undefined if another call changed the password in between: what was compared is not the current one any more.
    const session =
      newRevision === undefined
        ? undefined
        : await openSession(
            { ...deps, database: transaction },
            { userId, workspaceId, tokenRevision: newRevision },
            input,
          );
    if (session === undefined) {
      throw wrongPassword();
    }
    await beforeCommit(transaction, session);
    return session;
  };
  return deps.revocation.revoke([accountSubject(userId)], replace, {
    credential: credentialOf(caller),
    lockRows: (transaction) => lockSessions(transaction, { workspaceId, userId }),
  });
}

/**
 * Sets the password of an address whose owner has proved it (`proveAddress`), ends all sessions, and forgets where it was
 * signed in to. Unverified accounts are replaced by one new account with a new workspace. Undefined if there is no account.
 * Throws `unavailable` if its user changes or deletes it at the same moment.
 */
export async function setPasswordOf(
  deps: { readonly passwordHasher: Hasher; readonly defaultTier: Tier },
  transaction: QueryableTables,
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
    await lockSessions(transaction, account);
    if ((await replacePassword(transaction, account, passwordHash)) === undefined) {
      throw new AppError("unavailable", "The service is busy. Try again shortly.", { retryAfterSeconds: 1 });
    }
    return account;
  }
  const made = { userId: createId("usr"), workspaceId: createId("ws") };
  const name = email.slice(0, email.lastIndexOf("@"));
  await insertAccount(transaction, { ...made, email, passwordHash, name, tier: deps.defaultTier, isVerified: true });
  return made;
}
