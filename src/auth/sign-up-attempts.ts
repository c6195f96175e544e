import type { Database } from "../database/database.ts";
import { takeTokens } from "../database/take-tokens.ts";
import { AppError } from "../errors.ts";
import { limitKeyOf } from "../rpc/access/client-address.ts";

/** Sign-ups at once, where an hour allows that many: people who share an address behind one router come together. */
const mostAtOnce = 10;

/**
 * Counts a sign-up by where it comes from, before anything is done for it; also one that fails. Throws `rate_limited`
 * after too many.
 */
export async function countSignUp(
  deps: { readonly database: Pick<Database, "transaction">; readonly signUpsPerHour: number },
  { clientAddress }: { readonly clientAddress: string | undefined },
): Promise<void> {
  const { database, signUpsPerHour } = deps;
  const limit = { burst: Math.min(mostAtOnce, signUpsPerHour), periodSeconds: 3_600 / signUpsPerHour };
  const bucket = { key: `source:${limitKeyOf(clientAddress)}`, limit };
  const retryAfterSeconds = await takeTokens(database, "sign-up", [bucket]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many sign-ups from this address. Try again later.", { retryAfterSeconds });
  }
}
