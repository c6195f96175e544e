import type { KeyCaller } from "../../access/caller.ts";

/** How many numbers were answered, by their country (ISO 3166). Empty: those that have none. */
export type AnsweredNumbers = ReadonlyMap<string, number>;

/** Charges the numbers of lookups. `app.ts` hands it to `lookupCapability`. */
export interface LookupCharges {
  /**
   * Runs a lookup of that many numbers, if the balance covers them, and charges those that were answered, and adds them to the usage, before it
   * returns. Throws `insufficient_balance` and `spend_cap_reached`, before the work is begun.
   */
  charged<T>(
    caller: Pick<KeyCaller, "workspaceId" | "keyId">,
    numbers: number,
    work: () => Promise<{ readonly value: T; readonly answered: AnsweredNumbers }>,
  ): Promise<T>;
}
