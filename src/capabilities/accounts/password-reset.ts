import type { Tier } from "../../access/tiers.ts";
import type { Hasher } from "../../crypto/argon2-hasher.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { consumeTokens } from "../../database/consume-tokens.ts";
import type { Database, QueryableTables } from "../../database/database.ts";
import { AppError, invalidFields } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import { limitKeyOf } from "../../server/client-address.ts";
import { mailboxKey } from "./account-limits.ts";
import { resetLimits } from "./accounts.policy.ts";
import { setPasswordOf } from "./change-password.ts";
import { findAccountsByEmail, findStoredAddress } from "./find-account.ts";
import { isKnownSource, rememberSource } from "./known-sources.ts";
import { newPasswordProblem } from "./password-rules.ts";
import { proveAddress } from "./prove-address.ts";
import { emailProblem } from "./sign-up.ts";
import type { EmailVerificationOutcome, EmailVerifications, StartedReset } from "./verify-account-email.ts";

/**
 * Sends a code to the address if it has an account. The answer does not reveal whether it has: the same queries run, and
 * accounts are looked up when the message is sent. Throws `rate_limited` after too many resets of the mailbox, or from one
 * source.
 */
export async function startPasswordReset(
  deps: {
    readonly database: Pick<Database, "run" | "query" | "transaction">;
    readonly keyring: Keyring;
    readonly emailVerifications: EmailVerifications;
  },
  input: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<StartedReset> {
  const email = await findStoredAddress(deps, input.email);
  if (email === undefined) {
    throw invalidFields({ email: emailProblem });
  }
  const { clientAddress } = input;
  const source = limitKeyOf(clientAddress);
  const mailbox = `mailbox:${mailboxKey(deps, email)}`;
  const strangers = { key: mailbox, limit: resetLimits.strangers };
  const retryAfterSeconds = await consumeTokens(deps.database, "reset-password", [
    { key: `source:${source}`, limit: resetLimits.source },
    { key: `${mailbox}:${source}`, limit: resetLimits.pair },
    ...((await isFromOwner(deps, { email, clientAddress })) ? ([] as const) : ([strangers] as const)),
  ]);
  if (retryAfterSeconds !== undefined) {
    throw new AppError("rate_limited", "Too many password resets. Try again later.", { retryAfterSeconds });
  }
  return deps.emailVerifications.startReset(email);
}

/**
 * Whether the source is known to the verified account of the address. The sources of unverified accounts do not count:
 * strangers can sign up with the address, and sign in from as many sources as they like.
 */
async function isFromOwner(
  deps: { readonly database: QueryableTables; readonly keyring: Keyring },
  { email, clientAddress }: { readonly email: string; readonly clientAddress: string | undefined },
): Promise<boolean> {
  const accounts = await findAccountsByEmail(deps, email);
  const accountId = accounts.find(({ isVerified }) => isVerified)?.userId ?? "";
  return isKnownSource(deps, { accountId, clientAddress });
}

/**
 * Sets a new password with the code that was sent to the address. When it returns, no server accepts the account's earlier
 * sessions any more. The code is used up by the transaction that sets the password, so a call that fails can be repeated. A
 * reset that was started before the password was last set is `expired`, which only a right code reveals. Throws `not_found`
 * for an unknown reset.
 */
export async function confirmPasswordReset(
  deps: {
    readonly database: QueryableTables;
    readonly emailVerifications: EmailVerifications;
    readonly passwordHasher: Hasher;
    readonly revocation: Pick<RevocationService, "revoke">;
    readonly defaultTier: Tier;
    readonly keyring: Keyring;
  },
  {
    resetId,
    code,
    newPassword: password,
    clientAddress,
  }: {
    readonly resetId: string;
    readonly code: string;
    readonly newPassword: string;
    readonly clientAddress: string | undefined;
  },
): Promise<EmailVerificationOutcome> {
  const { email, startedAt } = await deps.emailVerifications.findReset(resetId);
  const { outcome } = await proveAddress(deps, { email }, async (transaction, accounts) => {
    const outcome = await deps.emailVerifications.checkReset(transaction, { id: resetId, code });
    if (outcome !== "approved") {
      return { outcome, provenBy: undefined };
    }
    if (accounts.some(({ isVerified, passwordSetAt }) => isVerified && startedAt <= passwordSetAt)) {
      return { outcome: "expired" as const, provenBy: undefined };
    }
    const problem = newPasswordProblem(password, email);
    if (problem !== undefined) {
      // Only the owner of the address may learn what it is. The code is not used up.
      throw invalidFields({ new_password: problem });
    }
    const provenBy = await setPasswordOf(deps, transaction, { email, password, accounts });
    if (provenBy !== undefined) {
      // They sign in next. Strangers who guess must not keep them out here either.
      await rememberSource(deps, transaction, { accountId: provenBy.userId, clientAddress });
    }
    // An account that ended since: the code is as good as one that was never sent.
    return { outcome: provenBy === undefined ? ("expired" as const) : outcome, provenBy };
  });
  return outcome;
}
