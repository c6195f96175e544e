import type { HandlerContext } from "@connectrpc/connect";

/** How many numbers were answered, by their country (ISO 3166). Empty: those that have none. */
export type AnsweredNumbers = ReadonlyMap<string, number>;

/** Charges the numbers of lookups. `app.ts` hands it to `lookupCapability`. */
export interface LookupCharges {
  /**
   * Runs a lookup of that many numbers for the call's key, if the balance covers them, and charges those that are answered, and adds them to the usage, before it
   * returns. Then the call is answered (`withAnswer`): one that is refused since its key was revoked is not charged. Throws `insufficient_balance` and
   * `spend_cap_reached`, before the work is begun.
   */
  charged<Found extends { readonly answered: AnsweredNumbers }>(
    context: Pick<HandlerContext, "values">,
    numbers: number,
    work: () => Promise<Found>,
  ): Promise<Found>;
}
