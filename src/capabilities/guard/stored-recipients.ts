import type { Keyring, MasterSecret } from "../../crypto/keyring.ts";

/** How verifications index recipients. `app.ts` passes it in. */
export interface StoredRecipients {
  /** Every index that rows may have for a recipient. */
  indexesOfAny(keyring: Pick<Keyring, "all">, recipient: string): string[];
  /** The exact index of an address. */
  indexOfAddress(secret: MasterSecret, address: string): string;
}

/** What the recipient of an entry of the safe list is sealed for. */
export function safeListContext(workspaceId: string, id: string): string {
  return `${workspaceId}/safe-list/${id}`;
}
