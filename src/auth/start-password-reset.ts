import type { Database } from "../database/database.ts";
import { takeTokens } from "../database/take-tokens.ts";
import { AppError, invalidFields } from "../errors.ts";
import { parseAccountAddress } from "../mail-address.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";
import { addressKey } from "./address-key.ts";
import { emailProblem } from "./create-account.ts";
import type { EmailVerifications, StartedReset } from "./email-verification.ts";

/** Resets from one source, for whatever accounts: ten at once, then one in a minute. */
const sourceLimit = { burst: 10, periodSeconds: 60 };

/** Resets of one address, from wherever: three at once, then one in five minutes. */
const addressLimit = { burst: 3, periodSeconds: 300 };

/**
 * Sends a code to the address if it has an account. Nothing tells whether it has: the same statements run, and the question is
 * asked when the message leaves. Throws `rate_limited` after too many for the address, or from where the call comes from.
 */
export async function startPasswordReset(
  deps: { readonly database: Pick<Database, "transaction">; readonly emailVerifications: EmailVerifications },
  input: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<StartedReset> {
  const email = parseAccountAddress(input.email);
  if (email === undefined) {
    throw invalidFields({ email: emailProblem });
  }
  const retryAfterSeconds = await takeTokens(deps.database, "reset-password", [
    { key: `source:${limitKeyOf(input.clientAddress)}`, limit: sourceLimit },
    { key: `address:${addressKey(email)}`, limit: addressLimit },
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many password resets. Try again later.", { retryAfterSeconds });
  }
  return deps.emailVerifications.startReset(email);
}
