import { credentialOf, type SessionCaller } from "../../access/caller.ts";
import type { Queryable } from "../../database/database.ts";
import { integer, statement, text } from "../../database/statement.ts";
import { AppError, invalidFields } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { accountSubject } from "../../revocation/revocation-subjects.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { accountOf, findAccountsByEmail } from "./find-account.ts";
import { forgetKnownSources } from "./known-sources.ts";
import { lockSessions } from "./lock-sessions.ts";
import { isRightPassword, type PasswordDependencies } from "./match-password.ts";
import { newPasswordProblem } from "./new-password.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";

const change = statement<{ tokenRevision: number }>("change_password")(
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
    RETURNING token_revision`,
);

/**
 * Changes the password, ends every session of the account, and forgets where it was signed in to; the result is a new
 * session. When it returns, no server accepts the tokens of the others any more. Throws `invalid_password` for a wrong current
 * one, and `rate_limited` after too many of those. `onAuthorized` runs when nobody else can end the caller's session any more
 * before this is done, and `beforeCommit` last in the transaction.
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
  beforeCommit: (transaction: Queryable, session: SessionGrant) => Promise<void>,
): Promise<SessionGrant> {
  const account = await accountOf(deps, caller);
  const { userId, workspaceId, email, tokenRevision } = account;
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
  const replace = async (transaction: Queryable) => {
    onAuthorized();
    const [row] = await transaction.run(change, { workspaceId, userId, tokenRevision, passwordHash: newHash });
    // None if it was changed by another call in between: the current password is another one now.
    const session =
      row &&
      (await openSession(
        { ...deps, database: transaction },
        { userId, workspaceId, tokenRevision: row.tokenRevision },
        input,
      ));
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

/** What a wrong current password is told. */
export function wrongPassword(): AppError {
  return new AppError("invalid_password", "The password is wrong.");
}
