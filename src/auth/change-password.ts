import { AppError } from "../errors.ts";
import type { RevocationService } from "../revocation/revocation-service.ts";
import type { SessionCaller } from "../rpc/access/caller.ts";
import { accountOf } from "./find-account.ts";
import { isRightPassword, type PasswordDependencies } from "./is-right-password.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";
import { accountSubject } from "./subjects.ts";

const change = {
  name: "change_password",
  text: `
    WITH ended AS (
      DELETE FROM session WHERE workspace_id = $1 AND account_id = $2
    )
    UPDATE account SET password_hash = $4, token_revision = token_revision + 1
    WHERE id = $2 AND token_revision = $3
    RETURNING token_revision`,
};

/**
 * Changes the password and ends every session of the account; the result is a new one. When it returns, no server accepts
 * the tokens of the others any more. Throws `invalid_password` for a wrong current one, and `rate_limited` after too many
 * of those.
 */
export async function changePassword(
  deps: PasswordDependencies & SessionDependencies & { readonly revocation: Pick<RevocationService, "revoke"> },
  caller: SessionCaller,
  input: {
    readonly currentPassword: string;
    readonly newPassword: string;
    readonly clientAddress: string | undefined;
  },
): Promise<SessionGrant> {
  const account = await accountOf(deps, caller);
  const { userId, workspaceId, email, passwordHash: hash, tokenRevision } = account;
  const attempt = { email, clientAddress: input.clientAddress };
  if (!(await isRightPassword(deps, attempt, { hash, password: input.currentPassword }))) {
    throw wrongPassword();
  }
  const newHash = await deps.passwordHasher.hash(input.newPassword);
  const newRevision = await deps.revocation.revoke([accountSubject(userId)], async (transaction) => {
    const values = [workspaceId, userId, tokenRevision, newHash];
    const [row] = await transaction.query<{ token_revision: number }>(change, values);
    if (row === undefined) {
      // Changed by another call in between: the current password is another one now.
      throw wrongPassword();
    }
    return row.token_revision;
  });
  const session = await openSession(deps, { userId, workspaceId, tokenRevision: newRevision });
  if (session === undefined) {
    throw new AppError("invalid_api_key", "All sessions were ended while the password was changed. Sign in again.");
  }
  return session;
}

/** What a wrong current password is told. */
export function wrongPassword(): AppError {
  return new AppError("invalid_password", "The password is wrong.");
}
