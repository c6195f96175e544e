import type { Tier } from "../../access/tiers.ts";
import type { Hasher } from "../../crypto/hashing.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import type { Queryable } from "../../database/database.ts";
import { invalidFields } from "../../errors.ts";
import type { RevocationService } from "../../revocation/revocation-service.ts";
import type { EmailVerificationOutcome, EmailVerifications } from "./email-verification.ts";
import { rememberSource } from "./known-sources.ts";
import { newPasswordProblem } from "./new-password.ts";
import { setPasswordOf } from "./set-password.ts";
import { proveAddress } from "./unverified-accounts.ts";

/**
 * Sets a new password, with the code that was sent to the address. When it returns, no server accepts the account's earlier
 * sessions any more. The code is used up by the transaction that sets the password: what fails can be repeated. The code of
 * a reset that was started before the password was last set has expired; only who has that code learns so. Throws
 * `not_found` for a reset that there is not.
 */
export async function confirmPasswordReset(
  deps: {
    readonly database: Queryable;
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
