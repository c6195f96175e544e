import { withAnswer } from "../../access/abort-on-revocation.ts";
import { credentialOf, type KeyCaller, keyCaller } from "../../access/caller.ts";
import { createId } from "../../crypto/ids.ts";
import { limitLockWait, type Queryable } from "../../database/database.ts";
import { array, bigint, integer, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import { heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import type { AnsweredNumbers, LookupCharges } from "../lookup/lookup-charges.ts";
import { maxTries } from "./balance.policy.ts";
import type { Prices } from "./prices.ts";
import type { Hold } from "./reserve.ts";
import type { Reserves } from "./reserves.ts";

const charge = statement<{ isMade: boolean }>("charge_lookups")(
  {
    workspaceId: text,
    reserveId: text,
    id: text,
    amount: bigint,
    keyId: text,
    credential: heldCredential,
    countries: array(text),
    numbers: array(integer),
  },
  (p) => `
    WITH ${limitLockWait}, charge AS MATERIALIZED (
      SELECT spend_charge(${p.workspaceId}, ${p.reserveId}, ${p.id}, ${p.amount}, NULL, 'lookup', ${p.keyId}) AS is_made
      FROM begun
    ), counted AS MATERIALIZED (
      SELECT usage_add(
        array_fill(${p.workspaceId}, ARRAY[cardinality(${p.countries})]), array_fill('live'::text, ARRAY[cardinality(${p.countries})]),
        array_fill(''::text, ARRAY[cardinality(${p.countries})]), ${p.countries},
        array_fill(${p.keyId}, ARRAY[cardinality(${p.countries})]), ${p.numbers}
      )
      FROM charge WHERE is_made
    )
    SELECT is_made, ${requireCredential(p.credential, { after: ["counted"], effect: "charge" })}
    FROM charge`,
);

const lookUp = statement<{ isMade: boolean }>("look_up_charge_of_lookups")(
  { workspaceId: text, reserveId: text, id: text },
  (p) => `
    SELECT true AS is_made FROM ledger_entry
    WHERE workspace_id = ${p.workspaceId} AND reserve_id = ${p.reserveId} AND reference = ${p.id} AND kind = 'charge'`,
);

interface Dependencies {
  readonly database: Queryable;
  readonly reserves: Pick<Reserves, "hold">;
}

/** Charges lookups, one entry for a call. Undefined: they cost nothing. */
export function lookupCharges(
  { database, reserves }: Dependencies,
  { lookup: price }: Prices,
): LookupCharges | undefined {
  if (price === 0) {
    return undefined;
  }
  const make = async (hold: Hold, caller: KeyCaller, amount: number, answered: AnsweredNumbers): Promise<boolean> => {
    const { workspaceId, keyId } = caller;
    const entry = { workspaceId, reserveId: hold.reserveId, id: createId("chg") };
    const counted = { countries: [...answered.keys()], numbers: [...answered.values()] };
    try {
      const [row] = await database.run(
        charge,
        { ...entry, ...counted, amount, keyId, credential: credentialOf(caller) },
        lookUp.bind(entry),
      );
      if (row?.isMade === true) {
        hold.spent(hold.amount - amount);
      } else {
        hold.refused();
      }
      return row?.isMade === true;
    } catch (error) {
      if (error instanceof AppError && error.code !== "outcome_unknown") {
        hold.giveBack();
      } else {
        // Nobody is answered for a charge whose outcome is not known.
        hold.spent();
      }
      throw error;
    }
  };
  return {
    async charged(context, numbers, work) {
      if (numbers === 0) {
        return work();
      }
      const { workspaceId, keyId } = keyCaller(context);
      let hold: Hold | undefined = await reserves.hold({ workspaceId, keyId }, numbers * price);
      try {
        const found = await work();
        const amount = price * [...found.answered.values()].reduce((sum, number) => sum + number, 0);
        if (amount > 0) {
          await withAnswer(context, async () => {
            for (let tries = 0; tries < maxTries; tries += 1) {
              const held = hold ?? (await reserves.hold({ workspaceId, keyId }, amount));
              hold = undefined;
              if (await make(held, keyCaller(context), amount, found.answered)) {
                return;
              }
            }
            throw new AppError("unavailable", "The balance is in use. Try again.", { retryAfterSeconds: 1 });
          });
        }
        return found;
      } finally {
        hold?.giveBack();
      }
    },
  };
}
