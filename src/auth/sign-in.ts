import { AppError } from "../errors.ts";
import type { Hasher } from "../hashing.ts";
import { accountAddress, parseMailAddress } from "../mail-address.ts";
import { findAccountByEmail } from "./find-account.ts";
import { isRightPassword, type PasswordDependencies } from "./is-right-password.ts";
import { openSession, type SessionDependencies, type SessionGrant } from "./open-session.ts";

/** A well-formed hash of nothing: what an unknown address is compared with, so that it takes as long as a known one. */
export async function createDecoyHash(passwordHasher: Hasher): Promise<string> {
  return passwordHasher.hash(crypto.randomUUID());
}

/**
 * Begins a session. Throws `invalid_api_key` for an unknown address and for a wrong password: the same answer, after the
 * same work. Throws `rate_limited` after too many wrong passwords for the address, or from where the call comes from.
 */
export async function signIn(
  deps: PasswordDependencies & SessionDependencies & { readonly decoyHash: string },
  input: { readonly email: string; readonly password: string; readonly clientAddress: string | undefined },
): Promise<SessionGrant> {
  // A malformed address is an unknown one here: it must not be told apart either.
  const address = parseMailAddress(input.email);
  const email = address === undefined ? "" : accountAddress(address);
  const account = await findAccountByEmail(deps, email);
  const comparison = { hash: account?.passwordHash ?? deps.decoyHash, password: input.password };
  const attempt = { email, accountId: account?.userId, clientAddress: input.clientAddress };
  const isRight = await isRightPassword(deps, attempt, comparison);
  const session = account !== undefined && isRight ? await openSession(deps, account, input) : undefined;
  if (session === undefined) {
    throw new AppError("invalid_api_key", "The email or the password is wrong.");
  }
  return session;
}
