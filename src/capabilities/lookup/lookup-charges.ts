import type { KeyCaller } from "../../access/caller.ts";

/** Charges the numbers of lookups. `app.ts` hands it to `lookupCapability`. */
export interface LookupCharges {
  /**
   * Runs a lookup of that many numbers, if the balance covers them, and charges those that were answered before it returns. Throws
   * `insufficient_balance` and `spend_cap_reached`, before the work is begun.
   */
  charged<T>(
    caller: Pick<KeyCaller, "workspaceId" | "keyId" | "mode">,
    numbers: number,
    work: () => Promise<{ readonly value: T; readonly answered: number }>,
  ): Promise<T>;
}
