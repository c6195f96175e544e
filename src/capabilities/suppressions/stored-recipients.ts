import type { Keyring, MasterSecret } from "../../crypto/keyring.ts";

/** How verifications index and seal recipients. `app.ts` passes it in. */
export interface StoredRecipients {
  /** Every index that rows may have for a recipient. Throws `validation_error` for a malformed one. */
  indexesOfAny(keyring: Pick<Keyring, "all">, recipient: string): string[];
  /** The exact index of an address, as it was sealed. */
  indexOfAddress(secret: MasterSecret, address: string): string;
  /** What the recipient of a verification is sealed for. */
  contextOf(workspaceId: string, verificationId: string, isSecond: boolean): string;
}
