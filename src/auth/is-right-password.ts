import type { Queryable } from "../database/database.ts";
import type { Hasher } from "../hashing.ts";
import { countPasswordAttempt, forgivePasswordAttempts, type PasswordAttempt } from "./password-attempts.ts";

export interface PasswordDependencies {
  readonly database: Queryable;
  readonly passwordHasher: Hasher;
}

const upgrade = {
  name: "upgrade_password_hash",
  text: "UPDATE account SET password_hash = $3 WHERE email = $1 AND password_hash = $2",
};

/**
 * Whether the password is the one of the hash. Counts wrong ones; throws `rate_limited` after too many, whatever the
 * password. A right one's hash that was made with other parameters is made anew.
 */
export async function isRightPassword(
  deps: PasswordDependencies,
  attempt: PasswordAttempt,
  { hash, password }: { readonly hash: string; readonly password: string },
): Promise<boolean> {
  await countPasswordAttempt(deps, attempt);
  if (!(await deps.passwordHasher.verify(hash, password))) {
    return false;
  }
  await forgivePasswordAttempts(deps, attempt);
  if (deps.passwordHasher.isOutdated(hash)) {
    await deps.database.query(upgrade, [attempt.email, hash, await deps.passwordHasher.hash(password)]);
  }
  return true;
}
