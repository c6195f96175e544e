import { createId } from "../../crypto/ids.ts";
import { limitLockWait, type Queryable } from "../../database/database.ts";
import { array, bigint, integer, statement, text } from "../../database/statement.ts";
import { AppError } from "../../errors.ts";
import type { AnsweredNumbers, LookupCharges } from "../lookup/lookup-charges.ts";
import { maxTries } from "./balance.policy.ts";
import type { Prices } from "./prices.ts";
import type { Hold } from "./reserve.ts";
import type { Spender } from "./reserve-store.ts";
import type { Reserves } from "./reserves.ts";

const charge = statement<{ isMade: boolean }>("charge_lookups")(
  {
    workspaceId: text,
    reserveId: text,
    id: text,
    amount: bigint,
    keyId: text,
    countries: array(text),
    numbers: array(integer),
  },
  (p) => `
    WITH ${limitLockWait}, charge AS MATERIALIZED (
      SELECT spend_charge(${p.workspaceId}, ${p.reserveId}, ${p.id}, ${p.amount}, NULL, 'lookup', ${p.keyId}) AS is_made
      FROM begun
    )
    SELECT is_made, CASE WHEN is_made THEN usage_add(
      array_fill(${p.workspaceId}, ARRAY[cardinality(${p.countries})]), array_fill('live'::text, ARRAY[cardinality(${p.countries})]),
      array_fill(''::text, ARRAY[cardinality(${p.countries})]), ${p.countries},
      array_fill(${p.keyId}, ARRAY[cardinality(${p.countries})]), ${p.numbers}
    ) END AS counted
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
  const make = async (
    hold: Hold,
    { workspaceId, keyId }: Spender,
    amount: number,
    answered: AnsweredNumbers,
  ): Promise<boolean> => {
    const entry = { workspaceId, reserveId: hold.reserveId, id: createId("chg") };
    try {
      const counted = { countries: [...answered.keys()], numbers: [...answered.values()] };
      const [row] = await database.run(charge, { ...entry, ...counted, amount, keyId }, lookUp.bind(entry));
      if (row?.isMade === true) {
        hold.spent(hold.amount - amount);
      } else {
        hold.refused();
      }
      return row?.isMade === true;
    } catch (error) {
      // Nobody is answered for a charge whose outcome is not known.
      hold.spent();
      throw error;
    }
  };
  return {
    async charged({ workspaceId, keyId }, numbers, work) {
      if (numbers === 0) {
        return (await work()).value;
      }
      let hold = await reserves.hold({ workspaceId, keyId }, numbers * price);
      let result: Awaited<ReturnType<typeof work>>;
      try {
        result = await work();
      } catch (error) {
        hold.giveBack();
        throw error;
      }
      const amount = price * [...result.answered.values()].reduce((sum, number) => sum + number, 0);
      if (amount === 0) {
        hold.giveBack();
        return result.value;
      }
      for (let tries = 0; tries < maxTries; tries += 1) {
        if (await make(hold, { workspaceId, keyId }, amount, result.answered)) {
          return result.value;
        }
        hold = await reserves.hold({ workspaceId, keyId }, amount);
      }
      hold.giveBack();
      throw new AppError("unavailable", "The balance is in use. Try again.", { retryAfterSeconds: 1 });
    },
  };
}
