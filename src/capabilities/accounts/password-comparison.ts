import type { Keyring } from "../../crypto/keyring.ts";
import type { Database } from "../../database/database.ts";
import type { Repetition } from "../../idempotency/idempotency.ts";
import { clientAddressKey } from "../../server/client-address.ts";
import { accountOf } from "./find-account.ts";
import { countPasswordAttempt } from "./password-attempts.ts";

/**
 * Counts a call whose idempotency key was used before as an attempt at the password that it carries, if it carries one:
 * whether it is the same request tells whether the password is the same. What is the same costs nothing. Throws
 * `rate_limited` after too many wrong ones.
 */
export async function countPasswordComparison(
  deps: { readonly database: Database; readonly keyring: Keyring },
  { method, caller, values, isSameRequest }: Repetition,
): Promise<void> {
  if (!method.input.fields.some(({ name }) => name.endsWith("password"))) {
    return;
  }
  const { userId, email } = await accountOf(deps, caller);
  const counted = await countPasswordAttempt(deps, {
    email,
    accountIds: [userId],
    signedInTo: userId,
    clientAddress: values.get(clientAddressKey),
  });
  if (isSameRequest) {
    await counted.putBack();
  }
}
