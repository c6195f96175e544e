import { AppError } from "../../errors.ts";
import { matchPassword, type PasswordDependencies } from "./check-password.ts";
import { findAccountsByEmail, findStoredAddress } from "./find-account.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";

/**
 * Begins a session. Throws `invalid_api_key` for an unknown address and for a wrong password: the same answer, after the
 * same work. Throws `rate_limited` after too many wrong passwords for the address, or from where the call comes from.
 */
export async function signIn(
  deps: PasswordDependencies & SessionDependencies & { readonly decoyHash: string },
  input: { readonly email: string; readonly password: string; readonly clientAddress: string | undefined },
): Promise<SessionGrant> {
  // A malformed address gets the same answer as an unknown one.
  const email = (await findStoredAddress(deps, input.email)) ?? "";
  const accounts = await findAccountsByEmail(deps, email);
  const candidates = accounts.length === 0 ? [{ passwordHash: deps.decoyHash }] : accounts;
  const attempt = { email, signedInTo: undefined, clientAddress: input.clientAddress };
  const right = await matchPassword(deps, attempt, { candidates, password: input.password });
  const account = accounts.find(({ passwordHash }) => passwordHash === right);
  const session =
    account && (await deps.database.transaction((database) => openSession({ ...deps, database }, account, input)));
  if (session === undefined) {
    throw new AppError("invalid_api_key", "The email address or the password is wrong.");
  }
  return session;
}
