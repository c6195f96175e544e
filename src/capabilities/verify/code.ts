import type { Mode } from "../../access/caller.ts";
import { hmacSha256 } from "../../crypto/hmac-sha256.ts";
import type { MasterSecret } from "../../crypto/keyring.ts";
import { foldDigits } from "../../text/fold-digits.ts";
import type { Approval } from "../channels/outgoing-message.ts";
import { approvalText } from "./approval.ts";

/** A code is derived from this and a master secret. */
export interface CodeSubject {
  readonly verificationId: string;
  readonly mode: Mode;
  /** Number of digits, 4 to 10. */
  readonly length: number;
  /** What the code approves: another payee or amount has another code. Undefined: nothing but the recipient. */
  readonly approval?: Approval | undefined;
}

/**
 * Derives the code of a verification: `length` decimal digits of HMAC-SHA256(subkey, id and approval), without bias. The code is stored
 * nowhere; each use derives it again. In the sandbox it is all zeros.
 */
export function deriveCode(secret: MasterSecret, subject: CodeSubject): string {
  if (subject.mode === "test") {
    return "0".repeat(subject.length);
  }
  const { verificationId, approval, length } = subject;
  // Ids have no slash.
  const bound = approval === undefined ? verificationId : `${verificationId}/${approvalText(approval)}`;
  return digitsOf(secret.subkey("verification-code"), bound, length);
}

/** Derives a fixed code, with a key of its own: no other code tells anything of it. */
export function deriveFixedCode(
  secret: MasterSecret,
  { fixedCodeId, length }: { readonly fixedCodeId: string; readonly length: number },
): string {
  return digitsOf(secret.subkey("fixed-code"), fixedCodeId, length);
}

function digitsOf(key: Buffer, id: string, length: number): string {
  const codes = 10n ** BigInt(length);
  // A 64-bit number from here on would make the lowest codes likelier, so it is skipped (once in 10^9 derivations).
  const unbiasedBelow = 2n ** 64n - (2n ** 64n % codes);
  for (let counter = 0; ; counter++) {
    const mac = hmacSha256(key, `${id}/${length}/${counter}`);
    const number = mac.readBigUInt64BE();
    if (number < unbiasedBelow) {
      return (number % codes).toString().padStart(length, "0");
    }
  }
}

/**
 * Normalizes a submitted code for the comparison: digits in ASCII, without the spaces and hyphens that people and mail programs
 * insert. Keyboards for full-width digits write U+30FC as a hyphen.
 */
export function normalizeCode(submitted: string): string {
  return foldDigits(submitted).replace(/[\s\p{Pd}\u2212\u30fc]/gu, "");
}
