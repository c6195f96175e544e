import { expect } from "vitest";
import { countPasswordAttempt } from "../../../src/capabilities/accounts/password-attempts.ts";

/**
 * What strangers' guesses at the password of an address come to who go on until they are refused, each from the next address
 * of `newAddress`: counted as the servers count them, without calls.
 */
export async function exhaustGuesses(
  deps: Parameters<typeof countPasswordAttempt>[0],
  address: string,
  newAddress: () => string,
): Promise<void> {
  const email = address.toLowerCase();
  const attempts = async () => {
    for (let guess = 0; guess < 110; guess += 1) {
      await countPasswordAttempt(deps, { email, accountIds: [], signedInTo: undefined, clientAddress: newAddress() });
    }
  };
  await expect(attempts()).rejects.toMatchObject({ code: "rate_limited" });
}
